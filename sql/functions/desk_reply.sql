-- subpay.desk_reply: a person answers a ticket by mail. It then waits for the customer.
-- in_ask: ticket, text, lines (its paragraphs), actor, form_key
create or replace function subpay.desk_reply(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    about record;
    t subpay.tickets;
    address text;
    letter subpay.outbox;
    before subpay.outbox;
begin
    about := desk_tickets(in_ask);
    if about.answer is not null then
        return about.answer;
    end if;
    select * into t from tickets k where k.id = about.ids[1];
    address := coalesce(t.email, (select o.email from orders o where o.id = t.order_id));
    if coalesce(in_ask ->> 'text', '') = '' then
        return '{"verdict": "no_text"}';
    elsif address is null then
        return '{"verdict": "no_email"}';
    end if;
    select * into before from outbox m
     where m.ticket_id = t.id and m.kind = 'mail' order by m.id desc limit 1;
    insert into outbox (kind, template, dedupe_key, order_id, ticket_id, recipient, payload)
    values ('mail', 'reply', 'reply:' || coalesce(in_ask ->> 'form_key',
                                                  gen_random_uuid()::text),
            case when email_fold(address) = (select email_fold(o.email) from orders o
                                              where o.id = t.order_id) then t.order_id end,
            t.id, address,
            jsonb_strip_nulls(jsonb_build_object(
                'ticket', jsonb_build_object('reference', t.reference, 'subject', t.subject),
                'reply', in_ask ->> 'text', 'reply_lines', in_ask -> 'lines',
                'thread', case when before.id is not null then
                    'outbox-' || before.id || '.' || before.message_id end)))
    returning * into letter;
    insert into ticket_messages (ticket_id, direction, author, body, message_id)
    values (t.id, 'out', in_ask ->> 'actor', in_ask ->> 'text', letter.message_id);
    update tickets k
       set state = 'waiting', solved_at = null, updated_at = now(),
           owner = case when k.owner = 'support' then in_ask ->> 'actor' else k.owner end
     where k.id = t.id;
    perform outbox_wake();
    return desk_end('reply', in_ask - 'reason', about.order_id,
                    jsonb_build_object('state', t.state), '{"state": "waiting"}',
                    '{"verdict": "replied"}', t.id);
end
$$;
