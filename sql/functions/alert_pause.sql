-- subpay.alert_pause: nobody has answered a page about money without access, or about
-- looks that stopped, for in_after: checkout pauses, and the next message says so.
--
-- Whoever switched checkout on again since the alert was raised has answered it.
-- Internal.
create or replace function subpay.alert_pause(in_after interval) returns void
language plpgsql
set search_path = subpay, pg_temp
as $$
declare
    a subpay.alerts;
begin
    select * into a
      from alerts k
     where k.closed_at is null and k.taken_at is null and k.level = 'page'
       and (k.key in ('money', 'silence', 'key', 'anomaly:no_subscription')
            or k.key like 'poison:%')
       and k.raised_at < now() - in_after
       and not exists (select from switches s
                        where s.name = 'checkout_paused'
                          and (s."on" or s.at > k.raised_at))
     order by k.id limit 1;
    if found then
        perform checkout_pause(true, 'system', a.text);
        perform alert_tell(a.id);
    end if;
end
$$;
