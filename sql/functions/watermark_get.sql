-- subpay.watermark_get: how far a list has been seen, and where a sweep that was cut off
-- stopped; nulls when nothing was stored yet.
create or replace function subpay.watermark_get(
    in_name text, out at timestamptz, out cursor text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    select w.at, w.cursor
      into watermark_get.at, watermark_get.cursor
      from watermarks w
     where w.name = in_name;
end
$$;
