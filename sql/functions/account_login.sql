-- subpay.account_login: whom an address names, and what their password is checked by.
--
-- No row for an unknown address; password_hash is null where none was chosen yet. The
-- caller spends the same time on all three.
create or replace function subpay.account_login(in_email text)
returns table (account_id uuid, password_hash text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    return query select a.id, a.password_hash
                   from accounts a
                  where a.email = email_fold(in_email);
end
$$;
