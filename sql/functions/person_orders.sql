-- subpay.person_orders: the orders of one person: made with this address, or giving access
-- to its account. Internal.
create or replace function subpay.person_orders(in_email text) returns uuid[]
language sql stable
as $$
    select coalesce(array_agg(o.id order by o.created_at), '{}')
      from subpay.orders o
     where subpay.email_fold(o.email) = subpay.email_fold(in_email)
        or o.id in (select s.order_id
                      from subpay.subscriptions s
                      join subpay.accounts a on a.id = s.account_id
                     where a.email = subpay.email_fold(in_email))
$$;
