-- subpay.moment: a time as templates take it: {iso, text}; null for none. Internal.
create or replace function subpay.moment(in_at timestamptz) returns jsonb
language sql stable
as $$
    select case when in_at is not null then jsonb_build_object(
        'iso', to_char(in_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'text', to_char(in_at at time zone 'UTC', 'FMDD FMMonth YYYY, HH24:MI "UTC"')) end
$$;
