-- subpay.local_time: what the clock on the wall says in this zone; in UTC, where this
-- server does not know it. Internal.
create or replace function subpay.local_time(in_at timestamptz, in_zone text)
returns timestamp
language plpgsql stable
as $$
begin
    return in_at at time zone in_zone;
exception when invalid_parameter_value then
    return in_at at time zone 'UTC';
end
$$;
