-- subpay.alert_quiet: is this moment inside the quiet hours, "22:00-08:00 Europe/Berlin"?
-- Null: there are none. A zone that this server does not know counts as UTC. Internal.
create or replace function subpay.alert_quiet(in_hours text, in_at timestamptz default now())
returns boolean
language plpgsql stable
as $$
declare
    said constant text[] := regexp_match(in_hours, '^(\d\d:\d\d)-(\d\d:\d\d) (\S+)$');
    from_at constant time := said[1];
    until_at constant time := said[2];
    clock time;
begin
    if said is null then
        return false;
    end if;
    clock := local_time(in_at, said[3])::time;
    return case when from_at < until_at then clock >= from_at and clock < until_at
                else clock >= from_at or clock < until_at end;
end
$$;
