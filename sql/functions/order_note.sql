-- subpay.order_note: what the provider says short of "paid". The order's row is locked.
--
-- payment.processing  the customer is done, the money is days away: open again, waiting
-- payment.failed      one attempt; the payment page goes on, the order stays open
-- payment.void        a delayed payment failed for good, or was cancelled: failed
-- checkout.open       the page can be paid; cancelled if the customer has left it
-- checkout.expired, checkout.none  nothing can be paid there any more: expired
--
-- None of them touches an order where money moved. "failed" stands above "cancelled"
-- above "expired", so that the same facts end alike in any order. What is said of
-- another payment page than the order's own closes nothing: a lost reply may have left
-- two. Internal.
create or replace function subpay.order_note(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    o subpay.orders := in_order;
    kind constant text := in_fact.kind;
    our_page constant boolean := coalesce(in_fact.checkout_id = in_order.checkout_id, true);
begin
    if kind not in ('payment.processing', 'payment.failed', 'payment.void',
                    'checkout.open', 'checkout.expired', 'checkout.none') then
        raise exception 'unknown kind of fact: %', kind using errcode = 'data_exception';
    end if;
    o.checkout_id := coalesce(o.checkout_id, in_fact.checkout_id);

    if o.state not in ('completed', 'refunded', 'review') then
        if kind = 'payment.processing' and o.state <> 'failed' then
            o.state := 'pending';
            o.processing := true;
        elsif kind = 'payment.failed' and o.state <> 'failed' then
            o.failure := coalesce(in_fact.failure, 'declined');
            -- While money may be on its way, only what we asked for ourselves is present
            -- truth; an event may speak of a card that was tried before: ask.
            if in_fact.event_id is null then
                o.processing := false;
            elsif o.processing then
                o.next_ask_at := now();
            end if;
        elsif kind = 'payment.void' then
            o.state := 'failed';
            o.processing := false;
            o.failure := coalesce(in_fact.failure, o.failure, 'cancelled');
        elsif kind = 'checkout.open' and our_page then
            o.checkout_url := coalesce(in_fact.checkout_url, o.checkout_url);
            o.checkout_expires_at := coalesce(to_timestamp(in_fact.checkout_expires),
                                              o.checkout_expires_at);
        end if;
        if kind like 'checkout.%' and our_page and o.state = 'pending'
           and not o.processing then
            o.state := case when o.left_at is not null then 'cancelled'
                            when kind <> 'checkout.open' then 'expired'
                            else 'pending' end;
        end if;
        if kind in ('checkout.expired', 'checkout.none') and our_page then
            o.checkout_url := null;
        end if;
    end if;

    if o is not distinct from in_order then
        return settle_answer('already', null, o);
    end if;
    if o.state <> in_order.state then
        o.next_ask_at := order_ask_after(o);
        perform audit_add(in_actor, 'order.' || o.state, o.id, null, kind,
            jsonb_build_object('state', in_order.state),
            jsonb_build_object('state', o.state));
    end if;
    update orders
       set state = o.state, processing = o.processing, failure = o.failure,
           checkout_id = o.checkout_id, checkout_url = o.checkout_url,
           checkout_expires_at = o.checkout_expires_at, next_ask_at = o.next_ask_at,
           updated_at = now()
     where id = o.id;
    return settle_answer(
        case when o.state in ('failed', 'cancelled', 'expired')
                  and o.state <> in_order.state then 'closed' else 'updated' end, null, o);
end
$$;
