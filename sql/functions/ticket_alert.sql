-- subpay.ticket_alert: support finds the ticket in the queue and in the next digest; one
-- alert for each kind, however many tickets, closed when none is open (alert_watch).
-- Internal.
create or replace function subpay.ticket_alert(in_kind text, in_subject text, in_ticket bigint)
returns void
language plpgsql
as $$
begin
    perform alert_raise('ticket:' || in_kind, 'today', in_subject,
                        jsonb_build_object('ticket', in_ticket, 'kind', in_kind));
end
$$;
