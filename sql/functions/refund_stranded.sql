-- subpay.refund_stranded: the part of refunds_decide that is about money without access.
-- Looks at orders in review and at open ones, by index; a young row of ours has had no
-- time to heal, however old the payment is. Internal.
create or replace function subpay.refund_stranded(in_rules subpay.settings) returns int
language plpgsql
as $$
declare
    at_once constant int := 100;
    patience constant interval := least(in_rules.auto_refund_after, interval '1 hour');
    one record;
    o subpay.orders;
    p subpay.payments;
    today int;
    done int := 0;
begin
    select count(*) into today from audit a
     where a.action = 'refund.unasked' and a.at > now() - interval '1 day';
    for one in
        select r.id, q.provider, q.payment_id
          from (select id from orders where state = 'review'
                 union all
                select id from orders where next_ask_at is not null) r
          join payments q on q.order_id = r.id and q.amount_refunded < q.amount
                         and q.state = 'taken'
         where coalesce(q.paid_at, q.created_at) < now() - in_rules.auto_refund_after
           and q.created_at < now() - patience
           and not exists (select from tickets t
                            where t.dedupe_key = 'refund_proposed:' || q.payment_id)
           and not exists (select from outbox b
                            where b.dedupe_key = 'refund:unasked:' || q.payment_id)
         limit at_once
    loop
        select * into o from orders r where r.id = one.id for update skip locked;
        continue when not found or o.state in ('completed', 'refunded');
        select * into p from payments q
         where q.provider = one.provider and q.payment_id = one.payment_id for update;
        continue when p.amount_refunded >= p.amount
                   or refund_blocked(p.provider, p.payment_id) is not null
                   or exists (select from provider_events e
                               where e.order_id = o.id and e.state in ('failed', 'parked'));
        if in_rules.auto_refund = 'do' and today < in_rules.auto_refund_limit then
            continue when not refund_decide(o, p, 'unasked', null);
            today := today + 1;
        else
            perform refund_propose(o, p, in_rules);
        end if;
        done := done + 1;
    end loop;
    return done;
end
$$;
