-- subpay.checkout_paused: are new payments paused?
create or replace function subpay.checkout_paused() returns boolean
language sql stable security definer
set search_path = subpay, pg_temp
as $$
    select exists (select from switches s where s.name = 'checkout_paused' and s."on")
$$;
