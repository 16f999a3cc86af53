-- subpay.desk_solve: close an order's open tickets of one kind, because what was just
-- done has answered them. Internal.
create or replace function subpay.desk_solve(
    in_order uuid, in_kind text, in_actor text, in_note text)
returns void
language plpgsql
as $$
declare
    ticket bigint;
begin
    for ticket in
        update tickets t
           set state = 'solved', solved_at = now(), updated_at = now()
         where t.order_id = in_order and t.kind = in_kind and t.state <> 'solved'
        returning t.id
    loop
        insert into ticket_messages (ticket_id, direction, author, body)
        values (ticket, 'note', in_actor, in_note);
    end loop;
end
$$;
