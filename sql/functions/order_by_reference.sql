-- subpay.order_by_reference: the order with this reference, in its stored form
-- (SP-XXXX-XXXX); no row when there is none.
create or replace function subpay.order_by_reference(in_reference text)
returns setof subpay.order_now
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query select r.* from order_now r where r.reference = in_reference;
end
$$;
