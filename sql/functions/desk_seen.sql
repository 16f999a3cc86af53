-- subpay.desk_seen: how far the history of an order goes that a page was drawn from: the
-- number of the last thing that was done with it. A form that carries an older one is
-- stale where somebody has done the same since, and learns what else happened
-- (desk_changes). Internal.
create or replace function subpay.desk_seen(in_order uuid) returns bigint
language sql stable
as $$
    select coalesce(max(a.id), 0) from subpay.audit a where a.order_id = in_order
$$;
