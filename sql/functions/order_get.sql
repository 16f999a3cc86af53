-- subpay.order_get: the order whose link carries the token with this SHA-256; no row
-- when there is none.
create or replace function subpay.order_get(in_token_hash bytea)
returns setof subpay.order_now
language plpgsql stable security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    return query
        select r.* from order_now r
         where r.id = (select o.id from orders o where o.token_hash = in_token_hash);
end
$$;
