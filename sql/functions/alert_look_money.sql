-- subpay.alert_look_money: money moved and no access for in_after: one alert for one
-- cause, however many people, with how many, how much and how long.
--
-- What cannot be settled has an alert from its first failure on (settle_fail); it gets
-- the same words here. Internal.
create or replace function subpay.alert_look_money(in_after interval) returns void
language plpgsql
set search_path = subpay, pg_temp
as $$
declare
    said record;
    words text;
begin
    for said in
        select w.cause, count(*) as people, max(w.asks) as asks,
               extract(epoch from now() - min(w.since))::bigint / 60 as minutes,
               jsonb_agg(jsonb_build_object(
                   'reference', w.reference, 'amount', money_text(w.amount, w.currency),
                   'waiting', extract(epoch from now() - w.since)::bigint / 60 || ' min')
                   order by w.since) filter (where w.place <= 5) as cases,
               (select string_agg(money_text(s.total::bigint, s.currency), ' + ')
                  from (select k.currency, sum(k.amount) as total from money_waits() k
                         where k.cause = w.cause and k.since < now() - in_after
                         group by k.currency order by k.currency) s) as money,
               (select count(*) from outbox m
                 where m.order_id = any (array_agg(w.order_id)) and m.template = 'checking')
                   as told
          from (select k.*, row_number() over (partition by k.cause order by k.since) as place
                  from money_waits() k
                 where k.since < now() - in_after) w
         group by w.cause
    loop
        words := format('PAID, NO ACCESS: %s, %s, longest %s min',
                        people_text(said.people), said.money, said.minutes);
        perform alert_set(said.cause, words, jsonb_strip_nulls(jsonb_build_object(
            'people', said.people, 'cases', said.cases,
            'tried', case when said.cause = 'money'
                then format('the provider was asked again for each, up to %s times', said.asks)
                else format('the payment was settled up to %s times, and cannot be: error %s',
                            said.asks, substr(said.cause, 8)) end,
            'told', case when said.told > 0
                then people_text(said.told) || ', that we are checking' end)));
    end loop;
    if not exists (select from money_waits() w
                    where w.cause = 'money' and w.since < now() - in_after) then
        perform alert_clear('money');
    end if;
    perform poison_clear();
end
$$;
