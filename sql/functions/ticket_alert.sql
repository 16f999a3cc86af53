-- subpay.ticket_alert: tell support of a ticket: one alert for each kind in an hour,
-- however many tickets, because an outage is one incident and not a thousand messages.
-- Internal.
create or replace function subpay.ticket_alert(in_kind text, in_subject text, in_ticket bigint)
returns void
language plpgsql
as $$
begin
    update alerts
       set closed_at = now()
     where key = 'ticket:' || in_kind and closed_at is null
       and raised_at <= now() - interval '1 hour';
    perform alert_raise('ticket:' || in_kind, 'today', in_subject,
                        jsonb_build_object('ticket', in_ticket, 'kind', in_kind));
end
$$;
