-- subpay.settings_store: what settle must know of the configuration, from the
-- directives, at start. Keys: mode, site, duplicate_window, goodwill_days,
-- goodwill_after, late_after, renewal_grace, support_hours, duplicates, refund_ends,
-- dispute_access, auto_refund, auto_refund_after, auto_refund_limit, refund_confirm;
-- notify (boolean: whether the application
-- wants to hear of changes, from now on); absent ones keep their value, others are
-- ignored. True when something changed.
create or replace function subpay.settings_store(in_settings jsonb) returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    was subpay.settings;
    new subpay.settings;
begin
    select * into was from settings for update;
    new := jsonb_populate_record(was, jsonb_strip_nulls(in_settings) - 'sole' - 'updated_at'
                                      - 'notify_since');
    if in_settings ? 'notify' then
        new.notify_since := case when (in_settings ->> 'notify')::boolean
                                 then coalesce(was.notify_since, now()) end;
    end if;
    if new is not distinct from was then
        return false;
    end if;
    update settings
       set mode = new.mode, site = new.site, duplicate_window = new.duplicate_window,
           goodwill_days = new.goodwill_days, goodwill_after = new.goodwill_after,
           late_after = new.late_after, support_hours = new.support_hours,
           notify_since = new.notify_since, renewal_grace = new.renewal_grace,
           duplicates = new.duplicates, refund_ends = new.refund_ends,
           dispute_access = new.dispute_access, auto_refund = new.auto_refund,
           auto_refund_after = new.auto_refund_after,
           auto_refund_limit = new.auto_refund_limit, refund_confirm = new.refund_confirm,
           updated_at = now();
    perform audit_add('system', 'settings.stored', null, null, null,
                      to_jsonb(was), to_jsonb(new));
    return true;
end
$$;
