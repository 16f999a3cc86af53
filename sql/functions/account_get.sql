-- subpay.account_get: what an account may use now; no row when there is no such account.
create or replace function subpay.account_get(in_account uuid)
returns setof subpay.account_row
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query select * from account_rows(in_account);
end
$$;
