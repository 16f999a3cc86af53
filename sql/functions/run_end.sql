-- subpay.run_end: how a run went. True when it was open; told twice, the first stands.
create or replace function subpay.run_end(
    in_id bigint, in_ok boolean, in_counts jsonb, in_error text)
returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    update runs
       set finished_at = clock_timestamp(), ok = in_ok, counts = in_counts, error = in_error
     where id = in_id and finished_at is null;
    return found;
end
$$;
