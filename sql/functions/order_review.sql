-- subpay.order_review: money moved, but does not match its order: a person decides.
--
-- in_reason  mode, currency, amount, price, product, or email (an adopted payment that
--            carries no address: nobody to give access to)
-- The customer is told: they have paid, and we said that we would write. A payment that
-- matches may still complete the order later. Internal.
create or replace function subpay.order_review(
    in_order subpay.orders, in_payment subpay.payments, in_reason text, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    o subpay.orders;
    ticket bigint;
begin
    if in_order.state = 'review' then
        -- Paid on two pages: the ticket that is there speaks of one payment. The provider
        -- repeats itself: which of them has a ticket of its own does not matter.
        if exists (select from payments k
                    where k.order_id = in_order.id and k.payment_id <> in_payment.payment_id
                      and k.state <> 'released' and k.amount_refunded < k.amount
                      and not exists (select from tickets t
                                       where t.dedupe_key = 'duplicate:' || k.payment_id))
        then
            perform ticket_open('duplicate', 'duplicate:' || in_payment.payment_id,
                'An order was paid twice', in_order.id,
                coalesce(in_order.email, in_payment.email),
                format('Order %s waits in review, and payment %s arrived beside %s.'
                       ' Refund one of them at least.', in_order.reference,
                       in_payment.payment_id, payment_beside(in_payment)));
        end if;
        return settle_answer('already', in_order.review_reason, in_order);
    end if;
    update orders
       set state = 'review', review_reason = in_reason,
           processing = in_payment.state = 'held',
           paid_at = least(in_payment.paid_at, now()), checkout_url = null,
           next_ask_at = null, updated_at = now()
     where id = in_order.id
    returning * into o;
    perform audit_add(in_actor, 'order.review', o.id, null, in_reason,
        jsonb_build_object('state', in_order.state),
        jsonb_build_object('state', o.state, 'payment', in_payment.payment_id));
    ticket := ticket_open(
        case in_reason when 'email' then 'payment_without_email' else 'review' end,
        'review:' || o.id, 'A payment does not match its order', o.id,
        coalesce(o.email, in_payment.email),
        format('Payment %s of %s %s came for order %s of %s %s; what does not match: %s.'
               ' The customer has paid and has no access yet.',
               in_payment.payment_id, in_payment.amount, in_payment.currency,
               o.reference, o.amount, o.currency, in_reason));
    if in_payment.amount > 0 and coalesce(o.email, in_payment.email) is not null then
        insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
        select 'mail', 'review', 'review:' || o.id, o.id,
               coalesce(o.email, in_payment.email),
               jsonb_build_object('order',
                   jsonb_build_object('review_by', moment(t.due_at)))
          from tickets t
         where t.id = ticket
            on conflict (dedupe_key) do nothing;
        perform outbox_wake();
    end if;
    return settle_answer('review', in_reason, o);
end
$$;
