-- subpay.order_refund: the money has gone back in full, or was never taken (then the
-- order says so: failure is "released"); so does what it bought.
--
-- Access ends. Credits are taken back as far as they are still there: the balance is
-- never negative, and what was spent is not chased. Internal.
create or replace function subpay.order_refund(
    in_order subpay.orders, in_payment subpay.payments, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    o subpay.orders;
    account uuid;
begin
    update subscriptions
       set status = 'refunded', ended_at = coalesce(ended_at, now())
     where order_id = in_order.id
    returning account_id into account;
    insert into credit_transactions (account_id, amount, order_id, reason)
    select a.id, -least(in_order.credits, a.credits), in_order.id, 'refund'
      from (select id, credits from accounts where id = account for update) a
     where in_order.credits > 0 and a.credits > 0
       -- Not "on conflict": the ledger's trigger moves the balance before it is met.
       and not exists (select from credit_transactions t
                        where t.order_id = in_order.id and t.reason = 'refund');
    update orders
       set state = 'refunded', processing = false, review_reason = null,
           failure = case when in_payment.state = 'released' then 'released' end,
           paid_at = coalesce(paid_at, least(in_payment.paid_at, now())),
           checkout_url = null, next_ask_at = null, updated_at = now()
     where id = in_order.id
    returning * into o;
    perform audit_add(in_actor, 'order.refunded', o.id, account,
        'payment ' || in_payment.payment_id || case in_payment.state
            when 'released' then ' was released, not taken' else ' was refunded in full' end,
        jsonb_build_object('state', in_order.state),
        jsonb_build_object('state', o.state));
    return settle_answer('closed', 'refunded', o);
end
$$;
