-- subpay.dispute_unanswered: an answer to a bank could not be given: its ticket is open
-- again, and says why. Internal.
create or replace function subpay.dispute_unanswered(in_row subpay.outbox, in_error text)
returns void
language plpgsql
as $$
declare
    d subpay.disputes;
    ticket bigint;
begin
    select * into d from disputes e
     where e.provider = in_row.payload ->> 'provider'
       and e.dispute_id = in_row.payload ->> 'dispute_id';
    select t.id into ticket from tickets t
     where t.dedupe_key = 'dispute:' || d.dispute_id;
    insert into ticket_messages (ticket_id, direction, author, body)
    select ticket, 'note', 'system',
           format('What %s sent to the bank (%s) did not get there: %s.',
                  in_row.payload ->> 'by', in_row.payload ->> 'what', in_error)
     where ticket is not null;
    update tickets t
       set state = 'open', solved_at = null, updated_at = now()
     where t.id = ticket and t.state <> 'open' and d.status in ('warning', 'open');
    perform alert_raise('dispute_unanswered', 'today', 'An answer to a dispute was not sent',
                        jsonb_build_object('outbox', in_row.id));
end
$$;
