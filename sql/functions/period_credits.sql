-- subpay.period_credits: the credits of an order's further periods follow their money: of
-- one that is gone they are taken back as far as they are still there, and come again when
-- the money is ours after all. What was spent is not chased, now or later. (Those of the
-- purchase: order_follow.)
--
-- Looks at what holds, never at what changed, and each taking is a row of its own, as is
-- each return; a second one of the same period ends in ":2". Internal.
create or replace function subpay.period_credits(in_order uuid) returns void
language plpgsql
as $$
declare
    p record;
    account uuid;
    why text;
    times int;
    moved bigint;
begin
    for p in
        select q.provider, q.invoice_id, q.credits_taken, t.amount as booked
          from periods q
          join payments m on m.provider = q.provider and m.payment_id = q.payment_id
          join credit_transactions t on t.order_id = q.order_id
                                    and t.reason = 'renewal:' || q.invoice_id
         where q.order_id = in_order and q.state = 'paid'
           and money_gone(m) <> (q.credits_taken is not null)
         order by q.starts_at, q.invoice_id
    loop
        select a.id, case when p.credits_taken is null then -least(p.booked, a.credits)
                          else p.credits_taken end
          into account, moved
          from subscriptions s
          join accounts a on a.id = s.account_id
         where s.order_id = in_order
           for update of a;
        why := case when p.credits_taken is null then 'renewal_refund:'
                    else 'renewal_restored:' end || p.invoice_id;
        select count(*) into times
          from credit_transactions t
         where t.order_id = in_order
           and (t.reason = why or starts_with(t.reason, why || ':'));
        insert into credit_transactions (account_id, amount, order_id, reason)
        select account, moved, in_order,
               why || case when times > 0 then ':' || times + 1 else '' end
         where moved <> 0;
        update periods q
           set credits_taken = case when p.credits_taken is null then -moved end
         where q.provider = p.provider and q.invoice_id = p.invoice_id;
    end loop;
end
$$;
