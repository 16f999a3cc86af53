-- subpay.order_complete: grant what was paid for. The order's row is locked, the
-- payment's row is there and matches.
--
-- Access starts now, not when the card was charged: the customer loses no day. A plan
-- that is still running (bought longer ago than the duplicate window) is extended: the
-- new period begins where it ends. Within the window it is more likely a mistake, and so
-- is, at any time, a second one that renews beside a first: granted all the same, and a person is asked; or it is sent back by itself, and then
-- brings no credits in the first place.
-- Money that is only held is taken now that access is there: until then the order is
-- "processing".
-- Access that came late is apologised for ("recovered"), very late also with days.
-- Internal.
create or replace function subpay.order_complete(
    in_order subpay.orders, in_payment subpay.payments, in_checkout text,
    in_rules subpay.settings, in_via text, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    o subpay.orders;
    -- The provider's clock may be ahead of ours; nobody gets access before paying.
    paid constant timestamptz := least(in_payment.paid_at, now());
    late constant interval := now() - coalesce(paid, now());
    welcome constant text := case when late > in_rules.late_after
                                  then 'recovered' else 'confirmation' end;
    bonus constant int := case when in_order.period is not null
                                    and late >= in_rules.goodwill_after
                               then in_rules.goodwill_days else 0 end;
    account uuid;
    known boolean;
    runs_until timestamptz;
    twin subpay.orders;
    back boolean := false;
    starts timestamptz := now();
begin
    -- Locks the account too: two orders of one customer complete one after the other,
    -- so that the second sees the first below.
    insert into accounts as a (email, name)
    values (email_fold(in_order.email), in_order.name)
        on conflict (email) do update set name = coalesce(a.name, excluded.name)
    returning a.id, a.xmax <> 0 into account, known;

    if known then
        select max(s.expires_at) into runs_until
          from subscriptions s
          join orders e on e.id = s.order_id
         where s.account_id = account and s.product = in_order.product
           and s.status = 'active'
           and e.completed_at <= now() - in_rules.duplicate_window
           and not renews_beside(s, in_order);
        starts := greatest(starts, runs_until);
        select e.* into twin
          from subscriptions s
          join orders e on e.id = s.order_id
         where s.account_id = account and s.product = in_order.product
           and s.status = 'active' and e.id <> in_order.id
           and (e.completed_at > now() - in_rules.duplicate_window
                or renews_beside(s, in_order))
         order by e.completed_at, e.id
         limit 1;
        -- Two packs of credits are as often meant as not: those a person looks at.
        back := twin.id is not null and in_order.period is not null
                and refund_duplicate(in_order, in_payment, twin);
    end if;

    with granted as (
        insert into subscriptions (order_id, account_id, product, starts_at, expires_at,
                                   renews)
        values (in_order.id, account, in_order.product, starts,
                period_after(starts, in_order.period + bonus * interval '1 day'),
                in_order.renews)
            -- access that was granted before the payment came: now it is paid for
            on conflict (order_id) do update
           set account_id = excluded.account_id, starts_at = excluded.starts_at,
               expires_at = excluded.expires_at, renews = excluded.renews,
               status = 'active', ended_at = null
    ), booked as (
        insert into credit_transactions (account_id, amount, order_id, reason)
        select account, in_order.credits, in_order.id, 'purchase'
         where in_order.credits > 0 and not back
    ), queued as (
        insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
        values ('mail', welcome, 'welcome:' || in_order.id, in_order.id, in_order.email,
                jsonb_build_object('bonus_days', bonus,
                                   'delay_s', extract(epoch from late)::int))
            on conflict (dedupe_key) do nothing
    ), written as (
        insert into audit (actor, action, order_id, account_id, reason, before, after)
        values (in_actor, 'order.completed', in_order.id, account, in_via,
                jsonb_build_object('state', in_order.state),
                jsonb_build_object('state', 'completed',
                                   'payment', in_payment.payment_id))
    )
    update orders
       set state = 'completed', completed_at = now(), completed_via = in_via,
           completed_by = in_actor, payment_id = in_payment.payment_id, paid_at = paid,
           statement = coalesce(in_payment.statement, statement),
           checkout_id = coalesce(checkout_id, in_checkout), checkout_url = null,
           bonus_days = bonus, processing = in_payment.state = 'held' and not back,
           failure = null, review_reason = null,
           duplicate_of = case when back then twin.id end,
           next_ask_at = null, updated_at = now()
     where id = in_order.id
    returning * into o;

    if in_payment.state = 'held' and not back then
        perform capture_ask(o.id, in_payment);
    end if;
    perform outbox_wake();
    if twin.id is not null and not back then
        perform ticket_open('duplicate', 'duplicate:' || o.id,
            'One customer bought the same twice', o.id, o.email,
            format('Orders %s and %s are both paid and both give access. If that was a'
                   ' mistake, refund one.', twin.reference, o.reference));
    end if;
    if o.erased_at is not null then
        perform ticket_open('payment_without_email', 'erased:' || o.id,
            'Somebody who was forgotten has paid', o.id, null,
            format('Payment %s came for order %s after its customer was erased at their'
                   ' own wish: nobody can use what it bought, and no mail reaches them.'
                   ' Send it back.', o.payment_id, o.reference));
    end if;
    if in_order.state = 'review' then
        insert into ticket_messages (ticket_id, direction, author, body)
        select t.id, 'note', 'system', format('Order %s was completed by payment %s.',
                                              o.reference, o.payment_id)
          from tickets t
         where t.dedupe_key = 'review:' || o.id;
    end if;
    return settle_answer('completed', null, o, welcome);
end
$$;
