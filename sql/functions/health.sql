-- subpay.health: how long ago the provider's objects were last looked at with success, in
-- seconds; before the first success, since the first try; null: never tried.
create or replace function subpay.health(out objects_age_s bigint)
language sql stable security definer
set search_path = subpay, pg_temp
as $$
    select extract(epoch from now() - coalesce(
               (select r.finished_at from runs r
                 where r.kind = 'objects' and r.ok order by r.id desc limit 1),
               (select r.started_at from runs r
                 where r.kind = 'objects' order by r.id limit 1)))::bigint
$$;
