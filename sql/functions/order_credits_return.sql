-- subpay.order_credits_return: give back what order_credits_take took, or what a duplicate
-- was not given in the first place. The credits of further periods are none of it
-- (period_credits). Internal.
create or replace function subpay.order_credits_return(
    in_order subpay.orders, in_account uuid)
returns void
language plpgsql
as $$
declare
    held bigint;
    rows int;
begin
    if in_order.credits = 0 then
        return;
    end if;
    perform from accounts a where a.id = in_account for update;
    select sum(t.amount), count(*) into held, rows
      from credit_transactions t
     where t.order_id = in_order.id
       and (t.reason = 'purchase' or t.reason ~ '^refund(:\d+)?$'
            or t.reason like 'refund\_failed:%');
    if rows = 0 then
        insert into credit_transactions (account_id, amount, order_id, reason)
        values (in_account, in_order.credits, in_order.id, 'purchase');
    elsif held < in_order.credits then
        -- What the last taking took; what was spent before it stays spent.
        insert into credit_transactions (account_id, amount, order_id, reason)
        select in_account, -t.amount, in_order.id, 'refund_failed:' || t.id
          from credit_transactions t
         where t.order_id = in_order.id and t.reason ~ '^refund(:\d+)?$'
           and t.id > coalesce((select max(r.id) from credit_transactions r
                                 where r.order_id = in_order.id
                                   and r.reason like 'refund\_failed:%'), 0)
         order by t.id desc
         limit 1;
    end if;
end
$$;
