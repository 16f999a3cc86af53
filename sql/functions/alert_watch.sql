-- subpay.alert_watch: every few seconds: is anything so wrong that somebody must get up?
-- Raise, repeat and close alerts; pause checkout when nobody answers.
--
-- in_rules  {silence_s, escalate_s, pause_s}: seconds; pause_s 0: never
create or replace function subpay.alert_watch(in_rules jsonb) returns void
language plpgsql security definer
set search_path = subpay, pg_temp
set jit = off  -- compiling would take longer than the answer
as $$
declare
    second constant interval := interval '1 s';
begin
    perform alert_look_money(interval '10 min');
    perform alert_look_silence((in_rules ->> 'silence_s')::int * second);
    perform alert_look_outbox();
    -- What was told of tickets is over when no such ticket is open.
    update alerts a
       set closed_at = now()
     where a.key like 'ticket:%' and a.closed_at is null
       and not exists (select from tickets t
                        where t.kind = substr(a.key, 8) and t.state <> 'solved');
    -- A test that nobody takes is told again for a day, and then is a failed test.
    update alerts a
       set closed_at = now()
     where a.key = 'test' and a.closed_at is null and a.raised_at < now() - interval '1 day';
    if (in_rules ->> 'pause_s')::int > 0 then
        perform alert_pause((in_rules ->> 'pause_s')::int * second);
    end if;
    perform alert_repeat((in_rules ->> 'escalate_s')::int * second);
end
$$;
