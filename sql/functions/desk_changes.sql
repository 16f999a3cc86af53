-- subpay.desk_changes: what happened to an order since a page was drawn of it that
-- carries in_seen (desk_seen): {at, who, what, why}, oldest first; null for nothing.
-- Internal.
create or replace function subpay.desk_changes(in_order uuid, in_seen bigint) returns jsonb
language plpgsql stable
as $$
begin
    return (
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                   'at', subpay.moment(a.at), 'who', a.actor,
                   'what', replace(replace(a.action, 'support.', ''), '_', ' '),
                   'why', a.reason)) order by a.id)
          from subpay.audit a
         where a.order_id = in_order and a.id > in_seen);
end
$$;
