-- subpay.inbox_bounce: a mail of ours came back: what the mail server had taken never
-- arrived. It becomes a dead letter, so that the case says "mail not sent" and a ticket
-- has the customer's name.
--
-- Only the mail's own id, which nobody else knows, proves which one it was; a report
-- without it becomes a ticket and changes nothing.
-- verdict  bounced, again, or noted
-- Internal.
create or replace function subpay.inbox_bounce(in_mail jsonb) returns jsonb
language plpgsql
as $$
declare
    said constant text[] := regexp_match(in_mail ->> 'bounced_id',
                                         '^outbox-([0-9]{1,18})\.([0-9a-f-]{36})@');
    why constant text := coalesce(in_mail ->> 'bounced_why', 'no reason was given');
    letter subpay.outbox;
    ticket bigint;
begin
    select * into letter from outbox m
     where m.id = said[1]::bigint and m.message_id = said[2] and m.kind = 'mail'
       for update;
    if not found then
        ticket := ticket_open('dead_mail', 'bounce:' || (in_mail ->> 'message_id'),
            'A mail came back', null,
            case when email_plausible(in_mail ->> 'bounced_to')
                 then in_mail ->> 'bounced_to' end,
            format('A report of a mail server says: %s. It does not name the mail.', why));
        return jsonb_build_object('verdict', 'noted',
            'ticket', (select t.reference from tickets t where t.id = ticket));
    elsif letter.state = 'dead' then
        return '{"verdict": "again"}';
    end if;
    update outbox m
       set state = 'dead', sent_at = null, lease = null, leased_by = null,
           leased_until = null
     where m.id = letter.id;
    perform outbox_bury(letter.id, 'came back: ' || why);
    perform audit_add('mail server', 'mail.bounced', letter.order_id, null, why,
                      jsonb_build_object('mail', letter.template, 'state', letter.state,
                                         'sent_at', letter.sent_at));
    return jsonb_build_object('verdict', 'bounced',
        'ticket', (select t.reference from tickets t
                    where t.dedupe_key = 'dead_mail:' || letter.id));
end
$$;
