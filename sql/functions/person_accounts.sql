-- subpay.person_accounts: the account of an address, and those that an order of theirs had
-- before its address was corrected, where nothing else is left of them. Internal.
create or replace function subpay.person_accounts(in_email text, in_orders uuid[])
returns uuid[]
language sql stable
as $$
    select coalesce(array_agg(a.id order by a.email = subpay.email_fold(in_email) desc), '{}')
      from subpay.accounts a
     where a.email = subpay.email_fold(in_email)
        or a.id in (select (k.before ->> 'account_id')::uuid
                      from subpay.audit k
                     where k.order_id = any (in_orders)
                       and k.before ->> 'account_id' is not null)
           and a.credits = 0
           and not exists (select from subpay.subscriptions s where s.account_id = a.id)
           and not exists (select from subpay.orders o
                            where subpay.email_fold(o.email) = a.email
                              and o.id <> all (in_orders))
$$;
