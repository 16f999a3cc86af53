-- subpay.person_tickets: the tickets that came from this address, or are about one of these
-- orders. Internal.
create or replace function subpay.person_tickets(in_email text, in_orders uuid[])
returns bigint[]
language sql stable
as $$
    select coalesce(array_agg(t.id order by t.id), '{}')
      from subpay.tickets t
     where subpay.email_fold(t.email) = subpay.email_fold(in_email)
        or t.order_id = any (in_orders)
$$;
