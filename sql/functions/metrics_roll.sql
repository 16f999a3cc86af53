-- subpay.metrics_roll: add up what is older than ten minutes, once an hour, so that
-- metrics() counts an hour and not a year. Ten minutes: no transaction runs for so long.
create or replace function subpay.metrics_roll() returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
set jit = off  -- compiling would take longer than the answer
as $$
declare
    start timestamptz;
    ending constant timestamptz := now() - interval '10 min';
begin
    select until into start from metric_until for update;
    if start > now() - interval '1 hour' then
        return false;
    end if;
    insert into metric_sums as s (name, label, bucket, value)
    select name, label, bucket, value from metric_counts(start, ending)
        on conflict (name, label, bucket) do update set value = s.value + excluded.value;
    update metric_until set until = ending;
    return true;
end
$$;
