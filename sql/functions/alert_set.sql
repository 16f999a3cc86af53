-- subpay.alert_set: what a look has seen: raise the alert with these words, bring an open
-- one up to date, or close it when in_text is null. Internal.
create or replace function subpay.alert_set(
    in_key text, in_text text, in_detail jsonb, in_level text default 'page')
returns void
language plpgsql
as $$
begin
    if in_text is null then
        perform alert_clear(in_key);
    elsif exists (select from alerts a where a.key = in_key and a.closed_at is null) then
        update alerts
           set text = in_text, detail = coalesce(in_detail, '{}'), last_at = now()
         where key = in_key and closed_at is null
           and (text, detail) is distinct from (in_text, coalesce(in_detail, '{}'));
    else
        perform alert_raise(in_key, in_level, in_text, in_detail);
    end if;
end
$$;
