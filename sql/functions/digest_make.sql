-- subpay.digest_make: once a day, at a set hour: one summary for each address; true when
-- it was made. However many nodes ask: the day is part of its key.
--
-- Quiet days have one too: its absence is an alarm. Not in quiet hours: then after them.
-- A shop that is set up after the hour begins the next day.
--
-- in_rules  {at: "08:30", hours: as SubPaySupportHours (for its zone), quiet: as
--           SubPayQuietHours or null, people: how many addresses}
create or replace function subpay.digest_make(in_rules jsonb) returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
set jit = off  -- compiling would take longer than the answer
as $$
declare
    wall constant timestamp := local_time(now(), split_part(in_rules ->> 'hours', ' ', 3));
    day constant date := wall::date - case when wall::time < (in_rules ->> 'at')::time
                                           then 1 else 0 end;
    last date;
begin
    if alert_quiet(in_rules ->> 'quiet') then
        return false;
    end if;
    insert into watermarks (name, cursor) values ('digest', day::text)
        on conflict (name) do nothing;
    if found then
        return false;
    end if;
    select w.cursor::date into last from watermarks w where w.name = 'digest' for update;
    if last >= day then
        return false;
    end if;
    update watermarks set cursor = day::text, updated_at = now() where name = 'digest';
    insert into outbox (kind, template, dedupe_key, payload)
    select 'alert', 'digest', format('digest:%s:%s', day, n),
           digest_text() || jsonb_build_object('person', n)
      from generate_series(0, (in_rules ->> 'people')::int - 1) n
        on conflict do nothing;
    perform outbox_wake();
    return true;
end
$$;
