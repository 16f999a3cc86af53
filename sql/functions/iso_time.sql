-- subpay.iso_time: a moment as programs read it, whole seconds, UTC. Null for none.
-- Internal.
create or replace function subpay.iso_time(in_at timestamptz) returns text
language sql stable
as $$
    select to_char(in_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;
