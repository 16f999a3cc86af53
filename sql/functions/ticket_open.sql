-- subpay.ticket_open: put something before a person, once for each in_key; its id.
--
-- Every ticket has an owner ("support" until somebody takes it) and a due time, and
-- support is told (ticket_alert). A poison fact has paged already.
-- Opened again under the same key, it returns the ticket that is there, solved or not:
-- the provider repeats itself, people need not. Internal.
create or replace function subpay.ticket_open(
    in_kind text, in_key text, in_subject text, in_order uuid, in_email text, in_note text)
returns bigint
language plpgsql
as $$
declare
    ticket bigint;
    -- Where a customer may be waiting for access or money, today; else tomorrow.
    patience constant interval := case
        when in_kind in ('dead_mail', 'poison', 'unreadable', 'unmatched')
        then interval '4 hours' else interval '24 hours' end;
    -- The customer is told this time, so it is one at which somebody is there.
    due constant timestamptz := case
        when in_kind in ('review', 'payment_without_email')
        then (support_turn(now())).answers_at else now() + patience end;
begin
    insert into tickets (kind, dedupe_key, subject, order_id, email, due_at)
    values (in_kind, in_key, in_subject, in_order, in_email, due)
        on conflict (dedupe_key) do nothing
    returning id into ticket;
    if not found then
        select t.id into ticket from tickets t where t.dedupe_key = in_key;
        return ticket;
    end if;

    insert into ticket_messages (ticket_id, direction, author, body)
    values (ticket, 'note', 'system', in_note);
    if in_kind <> 'poison' then
        perform ticket_alert(in_kind, in_subject, ticket);
    end if;
    return ticket;
end
$$;
