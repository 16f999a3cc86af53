-- subpay.alert_clear: the trouble named in_key is over. True when an alert was open.
create or replace function subpay.alert_clear(in_key text) returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    update alerts set closed_at = now() where key = in_key and closed_at is null;
    return found;
end
$$;
