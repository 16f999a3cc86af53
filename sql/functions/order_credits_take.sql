-- subpay.order_credits_take: take back what an order brought, as far as it is still there.
-- The ledger grows by a row of its own; a second time is "refund:2". Internal.
create or replace function subpay.order_credits_take(in_order subpay.orders, in_account uuid)
returns void
language plpgsql
as $$
declare
    times int;
begin
    if in_order.credits = 0 or not exists (
           select from credit_transactions t
            where t.order_id = in_order.id and t.reason = 'purchase') then
        return;
    end if;
    select count(*) into times
      from credit_transactions t
     where t.order_id = in_order.id and t.reason ~ '^refund(:\d+)?$';
    insert into credit_transactions (account_id, amount, order_id, reason)
    select a.id, -least(in_order.credits, a.credits), in_order.id,
           'refund' || case when times > 0 then ':' || times + 1 else '' end
      from (select id, credits from accounts where id = in_account for update) a
     where a.credits > 0;
end
$$;
