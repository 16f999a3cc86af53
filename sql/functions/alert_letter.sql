-- subpay.alert_letter: what a message about an alert says at this moment; null when it
-- is not needed any more, because the trouble is over or somebody has taken it.
create or replace function subpay.alert_letter(in_alert bigint) returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return (
        select jsonb_strip_nulls(jsonb_build_object(
                   'key', a.key, 'headline', a.text, 'count', a.count,
                   'tried', a.detail ->> 'tried', 'told', a.detail ->> 'told',
                   'cases', a.detail -> 'cases',
                   'paused', (select moment(s.at) from switches s
                               where s.name = 'checkout_paused' and s."on")))
          from alerts a
         where a.id = in_alert and a.closed_at is null and a.taken_at is null);
end
$$;
