-- subpay.digest_health: how things stand, as lines of {name, value}. Internal.
create or replace function subpay.digest_health() returns jsonb
language plpgsql stable
set search_path = subpay, pg_temp
as $$
begin
    return (
    select jsonb_agg(jsonb_build_object('name', l.name, 'value', l.value) order by l.place)
      from (select 1 as place, 'Last good look at the provider' as name,
                   coalesce((select moment(r.finished_at) ->> 'text' from runs r
                              where r.kind = 'objects' and r.ok
                              order by r.id desc limit 1), 'never') as value
            union all
            select 2, 'Oldest message that waits',
                   coalesce((select moment(min(m.created_at)) ->> 'text' from outbox m
                              where m.state in ('pending', 'sending')), 'none')
            union all
            select 3, 'Messages that could not be delivered',
                   (select count(*) from outbox m where m.state = 'dead')::text
            union all
            select 4, 'Orders completed since yesterday',
                   (select count(*) from orders o
                     where o.completed_at > now() - interval '1 day')::text
            union all
            select 5, 'Alerts since yesterday, and over',
                   (select count(*) from alerts a
                     where a.closed_at > now() - interval '1 day' and a.level = 'page')::text
            union all
            select 7, 'On duty', coalesce(
                       (select concat_ws(': ', (d ->> 'person') || ' since '
                                                   || (d #>> '{since,text}')
                                                   || case when d ? 'over'
                                                      then ', time to hand over' else '' end,
                                         d ->> 'note') from duty_now() d where d is not null),
                       'nobody has taken the week')
            union all
            select 8, 'Alerts tested', coalesce(
                       (select (moment(a.raised_at) ->> 'text')
                               || coalesce(', taken by ' || a.taken_by, ', taken by nobody')
                          from alerts a
                         where a.key = 'test' and a.raised_at > now() - interval '31 days'
                         order by a.id desc limit 1),
                       'not for a month: press the button on the page of alerts')
            union all
            select 6, 'Checkout', case when checkout_paused()
                                       then 'PAUSED: nobody can pay' else 'open' end) l);
end
$$;
