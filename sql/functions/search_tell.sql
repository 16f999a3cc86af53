-- subpay.search_tell: write to whom the orders belong that a search has found.
--
-- To the address that the order is for, and to the typed one only if the very payment
-- was made with it: anybody may type any address. One mail for each address, about the
-- order that says most. Whoever was welcomed since they asked has their answer already,
-- and whoever wrote to support gets it with the acknowledgement. Internal.
create or replace function subpay.search_tell(in_search subpay.searches, in_orders uuid[])
returns void
language plpgsql
as $$
declare
    letter record;
begin
    for letter in
        with one as (
            select o.*, email_fold(r.address) as whom, r.address
              from orders o
             cross join lateral (
                select o.email
                 union
                select p.email from payments p
                 where p.order_id = o.id
                   and email_fold(p.email) = email_fold(in_search.email)) r(address)
             where o.id = any (in_orders) and r.address is not null
               and (o.state in ('completed', 'review', 'refunded') or o.processing))
        select distinct on (one.whom) one.id, one.address, one.completed_at
          from one
         where in_search.ticket_id is null
            or one.whom is distinct from email_fold(in_search.email)
         order by one.whom,
                  case one.state when 'completed' then 1 when 'review' then 2
                                 when 'pending' then 3 else 4 end,
                  coalesce(one.paid_at, one.created_at) desc
    loop
        continue when exists (
            select from outbox m
             where m.dedupe_key = 'welcome:' || letter.id
               and email_fold(m.recipient) = email_fold(letter.address)
               and (m.created_at >= in_search.created_at or m.state <> 'sent'));
        perform mail_seldom('found', letter.id::text, letter.address, letter.id, null,
                            '{}');
    end loop;
end
$$;
