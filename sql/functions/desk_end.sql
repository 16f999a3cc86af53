-- subpay.desk_end: it was done: write down who, why, before and after, in the transaction
-- of the effect, and keep the answer for a form that is sent again. Internal.
create or replace function subpay.desk_end(
    in_action text, in_ask jsonb, in_order uuid, in_before jsonb, in_after jsonb,
    in_answer jsonb, in_ticket bigint default null)
returns jsonb
language plpgsql
as $$
begin
    perform audit_add(in_ask ->> 'actor', 'support.' || in_action, in_order,
                      (select s.account_id from subscriptions s where s.order_id = in_order),
                      in_ask ->> 'reason', in_before, in_after, in_ticket);
    if in_ask ? 'form_key' then
        insert into desk_actions (form_key, action, actor, order_id, answer)
        values ((in_ask ->> 'form_key')::uuid, in_action, in_ask ->> 'actor', in_order,
                in_answer);
    end if;
    return in_answer;
end
$$;
