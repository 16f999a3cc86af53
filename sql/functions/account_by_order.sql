-- subpay.account_by_order: whose access an order pays for, asked by the browser that
-- paid (its token), or by the worker that writes a mail (the order's id).
--
-- correctable: whether the address may still be corrected. No row for an order that is
-- not completed: only access has an account.
create or replace function subpay.account_by_order(in_token_hash bytea, in_order uuid)
returns table (account_id uuid, email text, has_password boolean, correctable boolean)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query
    select a.id, a.email, a.password_hash is not null,
           o.state = 'completed' and o.email_corrected_at is null
      from orders o
      join subscriptions s on s.order_id = o.id
      join accounts a on a.id = s.account_id
     where o.state in ('completed', 'refunded')
       and case when in_token_hash is not null then o.token_hash = in_token_hash
                else o.id = in_order end;
end
$$;
