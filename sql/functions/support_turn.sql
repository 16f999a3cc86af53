-- subpay.support_turn: when a person takes up what comes in at this moment, and the
-- clock time until which they have answered: two hours of their working time, up to the
-- next quarter. Never a promise that nobody is there to keep.
--
-- The hours are SubPaySupportHours; a zone that this server does not know counts as UTC.
create or replace function subpay.support_turn(
    in_at timestamptz default now(), out takes_at timestamptz, out answers_at timestamptz)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
declare
    days constant text[] := '{Mon,Tue,Wed,Thu,Fri,Sat,Sun}';
    said constant text[] := regexp_match((select s.support_hours from settings s),
        '^(\w{3})(?:-(\w{3}))? (\d\d:\d\d)-(\d\d:\d\d) (\S+)$');
    first constant int := array_position(days, said[1]);
    length constant int := (array_position(days, coalesce(said[2], said[1])) - first + 7) % 7;
    zone text := said[5];
    today date;
    opens timestamptz;
    closes timestamptz;
    work interval;
begin
    begin
        today := in_at at time zone zone;
    exception when invalid_parameter_value then
        zone := 'UTC';
        today := in_at at time zone zone;
    end;
    for n in 0..7 loop
        continue when (extract(isodow from today + n)::int - first + 7) % 7 > length;
        opens := (today + n + said[3]::time) at time zone zone;
        closes := (today + n + said[4]::time) at time zone zone;
        takes_at := greatest(in_at, opens);
        work := least(interval '2 hours', closes - opens);
        if takes_at + work <= closes then
            answers_at := least(closes, to_timestamp(
                ceil(extract(epoch from takes_at + work) / 900) * 900));
            return;
        end if;
    end loop;
end
$$;
