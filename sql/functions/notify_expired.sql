-- subpay.notify_expired: tell the application whose paid time is up; how many were
-- looked at, in_limit of them at most.
--
-- Where another subscription of the same plan goes on, or what ended did so before the
-- application was listening, it is only noted as seen.
create or replace function subpay.notify_expired(in_limit int) returns int
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    since constant timestamptz := (select notify_since from settings);
    s subpay.subscriptions;
    n int := 0;
begin
    if since is null then
        return 0;
    end if;
    for s in
        select t.* from subscriptions t
         where t.status = 'active' and t.end_seen is distinct from t.expires_at
           and t.expires_at <= now() and coalesce(t.grace_until, t.expires_at) <= now()
         order by t.expires_at
         limit in_limit
           for update skip locked
    loop
        n := n + 1;
        if s.expires_at >= since and not exists (
               select from entitlement_rows(s.account_id) e
                where e.product = s.product and e.active) then
            perform notify_queue('ended', s, s.expires_at);
        end if;
        update subscriptions t set end_seen = t.expires_at where t.id = s.id;
    end loop;
    return n;
end
$$;
