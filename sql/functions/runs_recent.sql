-- subpay.runs_recent: the latest runs, newest first; moments in epoch microseconds.
create or replace function subpay.runs_recent(in_limit int)
returns table (
    id bigint, kind text, started_at bigint, finished_at bigint, ok boolean, worker uuid,
    counts jsonb, error text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        select r.id, r.kind, epoch_us(r.started_at), epoch_us(r.finished_at), r.ok,
               r.worker, r.counts, r.error
          from runs r
         order by r.id desc
         limit in_limit;
end
$$;
