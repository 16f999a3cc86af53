-- subpay.worker_beat: this worker lives. Workers not heard of for a day are forgotten,
-- and only the one that leads now is noted as the leader: a dead one cannot say so.
create or replace function subpay.worker_beat(
    in_id uuid, in_host text, in_pid int, in_leader boolean)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    insert into workers (id, host, pid, leader)
    values (in_id, in_host, in_pid, in_leader)
        on conflict (id) do update
       set beat_at = now(), leader = excluded.leader, pid = excluded.pid;
    if in_leader then
        update workers set leader = false where leader and id <> in_id;
    end if;
    delete from workers where beat_at < now() - interval '1 day';
end
$$;
