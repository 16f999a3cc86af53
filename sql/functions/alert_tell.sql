-- subpay.alert_tell: queue the next message about an alert. The first goes to the first
-- address, the next to the second, and so on in turn; the worker knows them.
--
-- The first waits two seconds: what belongs to the same storm comes along, as words and
-- counts are taken when it leaves (alert_letter). Internal.
create or replace function subpay.alert_tell(in_alert bigint) returns void
language plpgsql
as $$
declare
    a subpay.alerts;
begin
    update alerts set sent = sent + 1 where id = in_alert returning * into a;
    insert into outbox (kind, template, dedupe_key, payload, next_try_at)
    values ('alert', a.level, format('alert:%s:%s:%s', a.key, a.id, a.sent),
            jsonb_build_object('alert', a.id, 'key', a.key, 'person', a.sent - 1),
            now() + case when a.sent = 1 then interval '2 s' else interval '0' end);
    perform outbox_wake();
end
$$;
