-- subpay.desk_reply: a person answers a ticket by mail. It then waits for the customer.
-- in_ask: ticket, text, lines (its paragraphs), actor, form_key; seen: the number of the
-- last message that the page showed
create or replace function subpay.desk_reply(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    about record;
    t subpay.tickets;
    address text;
    letter subpay.outbox;
    newer jsonb;
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
    -- Two people who answer the same customer, or one who did not see what came in
    -- meanwhile: no customer gets two mails that disagree.
    newer := (select jsonb_agg(jsonb_build_object(
                         'at', moment(m.created_at), 'who', m.author,
                         'what', case m.direction when 'in' then 'wrote to us'
                                                  else 'answered' end, 'why', m.body)
                     order by m.id)
                from ticket_messages m
               where m.ticket_id = t.id and m.id > (in_ask ->> 'seen')::bigint
                 and m.direction in ('in', 'out'));
    if newer is not null then
        return jsonb_build_object('verdict', 'stale', 'by', newer -> -1 ->> 'who',
                                  'changed', newer);
    end if;
    insert into outbox (kind, template, dedupe_key, order_id, ticket_id, recipient, payload)
    values ('mail', 'reply', 'reply:' || coalesce(in_ask ->> 'form_key',
                                                  gen_random_uuid()::text),
            case when email_fold(address) = (select email_fold(o.email) from orders o
                                              where o.id = t.order_id) then t.order_id end,
            t.id, address,
            jsonb_strip_nulls(jsonb_build_object(
                'ticket', jsonb_build_object('reference', t.reference, 'subject', t.subject),
                'reply', in_ask ->> 'text', 'reply_lines', in_ask -> 'lines'))
            || ticket_thread(t.id))
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
