-- subpay.renewal_reckon: bring an order's access, and the credits of its further periods,
-- in line with its periods and renewal.
--
-- While the provider will charge again, access goes on for SubPayRenewalGrace behind
-- the paid time: an invoice is finalized an hour after the period began, a card is
-- tried again for days. Where a failed period was announced to the customer, that time
-- stays theirs, even if the provider gives up earlier. Internal.
create or replace function subpay.renewal_reckon(in_order uuid) returns void
language plpgsql
as $$
declare
    o subpay.orders;
    r subpay.renewals;
    s subpay.subscriptions;
    until timestamptz;
    grace timestamptz;
begin
    select * into r from renewals n where n.order_id = in_order and not n.extra;
    if not found then
        return;
    end if;
    select * into o from orders x where x.id = in_order;
    select * into s from subscriptions u where u.order_id = in_order for update;
    if s.id is null or o.completed_at is null then
        return;
    end if;
    perform period_credits(in_order);
    until := paid_until(o, s.starts_at);
    if s.status in ('active', 'suspended')
        and (r.state = 'active'
             or exists (select from periods p
                         where p.order_id = in_order and p.state = 'failed'
                           and not exists (
                               select from periods q
                                where q.order_id = in_order and q.state = 'paid'
                                  and q.ends_at >= p.ends_at))) then
        grace := until + (select renewal_grace from settings);
    end if;
    update subscriptions u
       set expires_at = until, renews = r.state = 'active', grace_until = grace
     where u.id = s.id
       and (u.expires_at, u.renews, u.grace_until)
           is distinct from (until, r.state = 'active', grace);
end
$$;
