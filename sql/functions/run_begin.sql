-- subpay.run_begin: a job starts; the run's id. In a transaction of its own: a run that
-- dies leaves this row unfinished, and never counts as a good one.
create or replace function subpay.run_begin(in_kind text, in_worker uuid) returns bigint
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    run bigint;
begin
    insert into runs (kind, worker) values (in_kind, in_worker) returning id into run;
    return run;
end
$$;
