-- subpay.alerts_list: what is open, the gravest first, what was over lately, and whether
-- checkout is paused.
create or replace function subpay.alerts_list() returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return jsonb_strip_nulls(jsonb_build_object(
        'alerts', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'key', a.key, 'level', a.level, 'text', a.text, 'count', a.count,
                       'since', moment(a.raised_at), 'messages', a.sent,
                       'taken_by', a.taken_by, 'taken_at', moment(a.taken_at),
                       'tried', a.detail ->> 'tried', 'told', a.detail ->> 'told',
                       'can_take', nullif(a.level = 'page' and a.taken_at is null, false))
                   order by array_position('{page,today,log}'::text[], a.level), a.id)
              from alerts a where a.closed_at is null), '[]'),
        'over', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'key', b.key, 'level', b.level, 'text', b.text, 'count', b.count,
                       'since', moment(b.raised_at), 'until', moment(b.closed_at),
                       'taken_by', b.taken_by) order by b.id desc)
              from (select * from alerts k where k.closed_at is not null
                     order by k.id desc limit 20) b), '[]'),
        'test', (
            select jsonb_strip_nulls(jsonb_build_object(
                       'at', moment(a.raised_at), 'taken_by', a.taken_by,
                       'minutes', extract(epoch from a.taken_at - a.raised_at)::bigint / 60,
                       'out', nullif(a.closed_at is null, false)))
              from alerts a where a.key = 'test' order by a.id desc limit 1),
        'test_due', not exists (
            select from alerts a where a.key = 'test' and a.raised_at > now() - interval '31 days'),
        'checkout', (
            select jsonb_build_object('paused', s."on", 'by', s.by, 'at', moment(s.at),
                                      'why', s.why,
                                      'waiting', (select count(*) from resume_waits))
              from switches s where s.name = 'checkout_paused' and s."on")));
end
$$;
