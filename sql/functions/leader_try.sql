-- subpay.leader_try: true when this session leads: it alone reconciles. The lock is the
-- session's and this database's; it goes when the connection does, so a dead leader
-- needs no timeout. Asked again by the leader, it stays true and is not taken twice.
create or replace function subpay.leader_try() returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    return advisory_held(1, pg_backend_pid())
        or pg_try_advisory_lock(hashtext('subpay'), 1);
end
$$;
