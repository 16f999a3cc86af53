-- subpay.fact_forget: what the provider says, without whom it is about. Internal.
create or replace function subpay.fact_forget(in_raw jsonb) returns jsonb
language sql immutable
as $$
    select in_raw - '{email,name,order_email,receipt_url,pay_url,token_hash}'::text[]
$$;
