-- subpay.desk_alert_test: once a month: does an alert reach both people? It goes the way
-- of a real page, first to the one, then to the other, until "I have it" is pressed,
-- which ends it. It never pauses checkout. Pressed again while one is out: no second one.
create or replace function subpay.desk_alert_test(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    if not alert_raise('test', 'page',
                       'TEST of the alerts by ' || (in_ask ->> 'actor')
                       || ': nothing is wrong. Press "I have it"', '{}') then
        return '{"verdict": "test_out"}';
    end if;
    return desk_end('alert_test', in_ask, null, null, null, '{"verdict": "test_sent"}');
end
$$;
