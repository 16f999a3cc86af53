-- subpay.watermark_set: everything before in_at has been seen; in_cursor is where a sweep
-- that was cut off goes on. The moment never goes back: a slow worker that finishes late
-- must not undo a newer success. Nor does it run ahead of now: a clock that is wrong
-- somewhere must not make us skip what has not happened yet. Null: nothing has been
-- seen so far, which least() alone would take for now.
create or replace function subpay.watermark_set(
    in_name text, in_at timestamptz, in_cursor text)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    insert into watermarks as w (name, at, cursor)
    values (in_name, case when in_at > now() then now() else in_at end, in_cursor)
        on conflict (name) do update
       set at = greatest(w.at, excluded.at), cursor = excluded.cursor, updated_at = now();
end
$$;
