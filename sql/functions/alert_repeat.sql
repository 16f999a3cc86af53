-- subpay.alert_repeat: a page that nobody has taken: the next message goes out after
-- in_after, then after twice as long, and so on, to each address in turn. Internal.
create or replace function subpay.alert_repeat(in_after interval) returns void
language plpgsql
set search_path = subpay, pg_temp
as $$
begin
    perform alert_tell(a.id)
       from alerts a
      where a.closed_at is null and a.taken_at is null and a.level = 'page'
        and a.raised_at + in_after * (2 ^ least(a.sent, 20) - 1) < now();
end
$$;
