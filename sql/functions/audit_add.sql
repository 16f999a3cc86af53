-- subpay.audit_add: one line of history, in the transaction of what it tells. Internal.
create or replace function subpay.audit_add(
    in_actor text, in_action text, in_order uuid, in_account uuid, in_reason text,
    in_before jsonb default null, in_after jsonb default null,
    in_ticket bigint default null)
returns void
language plpgsql
as $$
begin
    insert into audit (actor, action, order_id, account_id, ticket_id, reason,
                       before, after)
    values (in_actor, in_action, in_order, in_account, in_ticket, in_reason,
            in_before, in_after);
end
$$;
