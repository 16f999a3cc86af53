-- subpay.desk_visit: somebody looks at a case or a ticket: who else does? A list of
-- {actor, since, last}, null for nobody. Who has not looked for ten minutes has left.
create or replace function subpay.desk_visit(in_place text, in_actor text) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    gone constant timestamptz := now() - interval '10 min';
begin
    delete from desk_visits v
     where (v.place, v.actor) in (select k.place, k.actor from desk_visits k
                                   where k.last_at < gone for update skip locked);
    insert into desk_visits as v (place, actor) values (in_place, in_actor)
        on conflict (place, actor) do update set last_at = now();
    return (select jsonb_agg(jsonb_build_object(
                       'actor', v.actor, 'since', moment(v.since), 'last', moment(v.last_at))
                   order by v.since)
              from desk_visits v
             where v.place = in_place and v.actor <> in_actor);
end
$$;
