-- subpay.desk_duties: who has the week, since when and with what note; the weeks before;
-- when the alerts were tested last, and what customers thanked for lately.
create or replace function subpay.desk_duties() returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return jsonb_strip_nulls(jsonb_build_object(
        'duty', duty_now(), 'seen', (select coalesce(max(d.id), 0)::text from duties d),
        'before', (
            select jsonb_agg(jsonb_build_object(
                       'person', d.person, 'by', d.by, 'note', nullif(d.note, ''),
                       'since', moment(d.since)) order by d.id desc)
              from (select * from duties k order by k.id desc offset 1 limit 12) d),
        'people', (
            select jsonb_agg(distinct a.actor)
              from audit a
             where a.action like 'support.%' and a.actor <> 'system'
               and a.at > now() - interval '60 days'),
        'thanks', thanks_since(now() - interval '7 days')));
end
$$;
