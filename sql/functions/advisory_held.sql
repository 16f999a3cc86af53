-- subpay.advisory_held: whether anybody (or the session in_pid) holds our advisory lock
-- number in_lock in this database: 1 leader, 2 notifier, 3 outbox in flight. Internal.
create or replace function subpay.advisory_held(in_lock int, in_pid int default null)
returns boolean
language plpgsql volatile
as $$
begin
    return exists (
        select from pg_locks l
         where l.locktype = 'advisory' and l.granted
           and l.pid = coalesce(in_pid, l.pid)
           and l.database = (select d.oid from pg_database d
                              where d.datname = current_database())
           -- shown as unsigned numbers
           and l.classid = (hashtext('subpay')::bigint & 4294967295)::oid
           and l.objid = in_lock::oid and l.objsubid = 2);
end
$$;
