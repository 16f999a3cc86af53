-- subpay.leader_try: true when this session leads: it alone reconciles. The lock is the
-- session's and this database's; it goes when the connection does, so a dead leader
-- needs no timeout. Asked again by the leader, it stays true and is not taken twice.
create or replace function subpay.leader_try() returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    word constant int := hashtext('subpay');
begin
    return exists (select
                     from pg_locks l
                    where l.locktype = 'advisory' and l.pid = pg_backend_pid()
                      and l.database = (select d.oid from pg_database d
                                         where d.datname = current_database())
                      and l.classid = word::bigint::bit(32)::bit(32)::int::oid
                      and l.objid = 1 and l.objsubid = 2)
        or pg_try_advisory_lock(word, 1);
end
$$;
