-- subpay.desk_runs: the reconciler's book, newest first, and who is at work.
create or replace function subpay.desk_runs() returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return jsonb_strip_nulls(jsonb_build_object(
        'runs', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'kind', r.kind, 'started_at', moment(r.started_at),
                       'seconds', round(extract(epoch from r.finished_at - r.started_at), 1),
                       'ok', nullif(r.ok, false), 'failed', nullif(not r.ok, false),
                       'counts', r.counts, 'counts_text', (
                           select string_agg(c.key || ' ' || c.value, ', ' order by c.key)
                             from jsonb_each_text(r.counts) c where c.value <> '0'),
                       'problem', r.error) order by r.id desc)
              from (select * from runs k order by k.id desc limit 50) r), '[]'),
        'workers', (
            select jsonb_agg(jsonb_build_object(
                       'host', w.host, 'pid', w.pid, 'leads', nullif(w.leader, false),
                       'beat_at', moment(w.beat_at)) order by w.host, w.pid)
              from workers w where w.beat_at > now() - interval '1 min'),
        'last_good', (select moment(max(r.finished_at)) from runs r
                       where r.ok and r.id > (select coalesce(max(id), 0) - 1000 from runs))));
end
$$;
