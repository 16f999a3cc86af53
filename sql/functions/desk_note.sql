-- subpay.desk_note: somebody writes down what the next person should know, on a ticket
-- or on an order and its open tickets. in_ask also carries text.
create or replace function subpay.desk_note(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    about record;
begin
    about := desk_tickets(in_ask);
    if about.answer is not null then
        return about.answer;
    elsif coalesce(in_ask ->> 'text', '') = '' then
        return '{"verdict": "no_text"}';
    end if;
    insert into ticket_messages (ticket_id, direction, author, body)
    select id, 'note', in_ask ->> 'actor', in_ask ->> 'text' from unnest(about.ids) id;
    return desk_end('note', in_ask || jsonb_build_object('reason', in_ask -> 'text'),
                    about.order_id, null, null, '{"verdict": "noted"}', about.ids[1]);
end
$$;
