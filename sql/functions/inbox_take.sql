-- subpay.inbox_take: a mail came in at the address that people read. An answer goes on
-- with its ticket, which is open again; anything else begins one, as the form does; a
-- mail of ours that came back is known as not delivered. Handed in again, it changes
-- nothing.
--
-- in_mail  {message_id, from, subject, text, answers: [id], automatic, bounce,
--          bounced_id, bounced_to, bounced_why}
-- verdict  added, opened, bounced, noted (kept as a note: a program wrote it, or a report
--          names no mail), again, ignored
create or replace function subpay.inbox_take(in_mail jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    mail constant text := in_mail ->> 'message_id';
    automatic constant boolean := coalesce((in_mail ->> 'automatic')::boolean, false);
    body constant text := coalesce(nullif(in_mail ->> 'text', ''), '(no words)');
    about record;
    t subpay.tickets;
    made record;
begin
    -- One mail at a time under this id: two mailboxes may hand it in at once.
    perform pg_advisory_xact_lock(hashtext('subpay inbox'), hashtext(mail));
    if exists (select from ticket_messages m where m.message_id = mail) then
        return '{"verdict": "again"}';
    elsif (in_mail ->> 'bounce')::boolean then
        return inbox_bounce(in_mail);
    elsif mail ~ '^outbox-[0-9]+\.[0-9a-f-]{36}@' then
        return '{"verdict": "ignored", "why": "it is our own"}';
    end if;

    about := inbox_ticket(in_mail);
    select * into t from tickets k where k.id = about.ticket for update;
    if automatic then
        if t.id is null then
            return '{"verdict": "ignored", "why": "a program wrote it"}';
        end if;
        insert into ticket_messages (ticket_id, direction, author, body, message_id)
        values (t.id, 'note', 'their mail program', body, mail);
        return jsonb_build_object('verdict', 'noted', 'ticket', t.reference);
    elsif coalesce(in_mail ->> 'from', '') = '' then
        return '{"verdict": "ignored", "why": "it names nobody to answer"}';
    elsif t.id is null then
        select * into made from ticket_write(md5('mail ' || mail)::uuid, in_mail ->> 'from', body,
            null, (regexp_match(upper(concat_ws(' ', in_mail ->> 'subject', body)),
                                'SP-[0-9A-Z]{4}-[0-9A-Z]{4}'))[1], null);
        update tickets k
           set subject = coalesce(nullif(left(in_mail ->> 'subject', 80), ''), k.subject),
               order_id = coalesce(k.order_id, about.order_id)
         where k.reference = made.reference
        returning k.* into t;
        update ticket_messages m set message_id = mail
         where m.ticket_id = t.id and m.direction = 'in';
        return jsonb_build_object('verdict', 'opened', 'ticket', t.reference);
    end if;

    insert into ticket_messages (ticket_id, direction, author, body, message_id)
    values (t.id, 'in', case when email_fold(t.email) = email_fold(in_mail ->> 'from')
                             then 'customer' else in_mail ->> 'from' end, body, mail);
    update tickets k
       set state = 'open', solved_at = null, thanked_at = null, updated_at = now(),
           due_at = case when k.state = 'open' then k.due_at
                         else (select s.answers_at from support_turn(now()) s) end
     where k.id = t.id;
    perform ticket_alert('customer', 'A customer wrote to us', t.id);
    return jsonb_build_object('verdict', 'added', 'ticket', t.reference);
end
$$;
