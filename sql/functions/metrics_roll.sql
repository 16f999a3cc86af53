-- subpay.metrics_roll: add up what is older than ten minutes, once an hour, so that
-- metrics() counts an hour and not a year. Ten minutes: no transaction runs for so long.
--
-- A day at a time, and no more than fit into a second: a shop that comes with years of
-- orders is added up in several calls, each far from the statement's time limit.
create or replace function subpay.metrics_roll() returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
set jit = off  -- compiling would take longer than the answer
as $$
declare
    start timestamptz;
    ending timestamptz;
begin
    select until into start from metric_until for update;
    if start > now() - interval '1 hour' then
        return false;
    elsif start = '-infinity' then
        start := least(now() - interval '10 min',
                       (select min(o.completed_at) from orders o
                         where o.completed_at is not null),
                       (select min(p.created_at) from payments p),
                       (select min(r.created_at) from refunds r));
    end if;
    loop
        ending := least(start + interval '1 day', now() - interval '10 min');
        insert into metric_sums as s (name, label, bucket, value)
        select name, label, bucket, value from metric_counts(start, ending)
            on conflict (name, label, bucket) do update set value = s.value + excluded.value;
        exit when ending = now() - interval '10 min'
               or clock_timestamp() > now() + interval '1 s';
        start := ending;
    end loop;
    update metric_until set until = ending;
    return true;
end
$$;
