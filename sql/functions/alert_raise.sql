-- subpay.alert_raise: somebody must be told. True when this opened a new alert.
--
-- in_key     names the cause: while it is open, raising it again only counts
-- in_level   page (a message now, repeated until somebody takes it), today (in the
--            digest), log (kept, told to nobody)
-- in_text    one sentence without names or addresses
-- in_detail  ids and counts; for the message also tried, told, cases (alert_letter)
--
-- Never waits: whoever settles many facts in one transaction would otherwise hold the
-- alert's row while wanting somebody's account, and the other way round. When another
-- transaction is raising the same alert right now, it is that one's to tell.
create or replace function subpay.alert_raise(
    in_key text, in_level text, in_text text, in_detail jsonb)
returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    alert bigint;
    times int;
begin
    if not pg_try_advisory_xact_lock(hashtext('subpay alert'), hashtext(in_key)) then
        return false;
    end if;
    insert into alerts as a (key, level, text, detail)
    values (in_key, in_level, in_text, coalesce(in_detail, '{}'))
        on conflict (key) where closed_at is null do update
       set count = a.count + 1, last_at = now(), detail = a.detail || excluded.detail
    returning a.id, a.count into alert, times;

    if times > 1 then
        return false;
    end if;
    if in_level = 'page' then
        perform alert_tell(alert);
    end if;
    return true;
end
$$;
