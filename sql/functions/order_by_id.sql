-- subpay.order_by_id: the order with our own id; no row when there is none.
create or replace function subpay.order_by_id(in_order uuid)
returns setof subpay.order_now
language plpgsql stable security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    return query select r.* from order_now r where r.id = in_order;
end
$$;
