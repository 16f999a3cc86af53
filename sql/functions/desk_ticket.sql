-- subpay.desk_ticket: one ticket with what was written, and the order it is about. Null:
-- there is none.
create or replace function subpay.desk_ticket(in_reference text) returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
declare
    t subpay.tickets;
    o subpay.orders;
begin
    select * into t from tickets k
     where k.reference = upper(in_reference) or k.reference = 'T-' || in_reference;
    if not found then
        return null;
    end if;
    select * into o from orders r where r.id = t.order_id;
    return jsonb_strip_nulls(jsonb_build_object(
        'ticket', t.reference, 'kind', t.kind, 'subject', t.subject, 'state', t.state,
        'open', nullif(t.state <> 'solved', false),
        'owner', t.owner, 'email', coalesce(t.email, o.email), 'charged', t.charged,
        'created_at', moment(t.created_at), 'due_at', moment(t.due_at),
        'late', nullif(t.state <> 'solved' and t.due_at < now(), false),
        'customer_lang', nullif(coalesce(t.lang, o.lang), 'en'), 'reference', o.reference, 'order_state', o.state,
        'diagnosis_code', case when o.id is not null then diagnose(o.id) end,
        'seen', (select coalesce(max(m.id), 0)::text from ticket_messages m
                  where m.ticket_id = t.id),
        'can_thank', nullif(t.thanked_at is null
                            and (select m.direction from ticket_messages m
                                  where m.ticket_id = t.id and m.direction in ('in', 'out')
                                  order by m.id desc limit 1) = 'in', false),
        'thanked', nullif(t.thanked_at is not null, false),
        'messages', (
            select jsonb_agg(jsonb_build_object(
                       'direction', m.direction, 'author', m.author, 'body', m.body,
                       'at', moment(m.created_at),
                       'delivery', (select x.state from outbox x
                                     where m.direction = 'out'
                                       and x.ticket_id = m.ticket_id
                                       and x.message_id = m.message_id)) order by m.id)
              from ticket_messages m where m.ticket_id = t.id)));
end
$$;
