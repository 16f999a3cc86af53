-- subpay.alert_look_silence: is the provider still looked at? The latest good look for
-- events and for objects must be younger than in_after.
--
-- After a long stop the first look gets two minutes: what was not done while nobody could
-- is no failure. A look that died with its worker counts as tried. While the provider
-- refuses our key that is the cause, and it has an alert of its own. Internal.
create or replace function subpay.alert_look_silence(in_after interval) returns void
language plpgsql
set search_path = subpay, pg_temp
as $$
declare
    good timestamptz;
    oldest timestamptz;
    why text;
    look text;
    key_refused boolean := false;
begin
    foreach look in array '{events,objects}'::text[] loop
        select coalesce(
                   (select r.finished_at from runs r
                     where r.kind = look and r.ok order by r.id desc limit 1),
                   (select r.started_at from runs r
                     where r.kind = look order by r.id limit 1))
          into good;
        select key_refused or coalesce(r.error = 'provider_key', false),
               coalesce(r.error, why)
          into key_refused, why
          from (select (select k.error from runs k
                         where k.kind = look and k.finished_at is not null
                         order by k.id desc limit 1) as error) r;
        if good < now() - in_after
           and (exists (select from runs r
                         where r.kind = look and r.started_at > good
                           and r.started_at < now() - interval '2 min')
                or exists (select from workers w
                            where w.leader and w.beat_at > now() - interval '1 min'
                              and w.started_at < now() - in_after))
        then
            oldest := least(oldest, good);
        end if;
    end loop;
    perform alert_set('key', case when key_refused then
        'The provider refuses our key: nobody can pay, and no payment can be looked up' end,
        '{"tried": "each look at the provider, and it answers that the key is wrong or may not do this"}');
    perform alert_set('silence', case when oldest is not null and not key_refused then
        format('NO LOOK AT THE PROVIDER has succeeded for %s minutes',
               extract(epoch from now() - oldest)::bigint / 60) end,
        jsonb_build_object('tried', 'every minute, latest answer: ' || coalesce(why, 'none')));
end
$$;
