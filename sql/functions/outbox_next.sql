-- subpay.outbox_next: when the next row is due, in epoch microseconds; 0 for none.
create or replace function subpay.outbox_next() returns bigint
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return epoch_us((select min(next_try_at)
                       from outbox
                      where state in ('pending', 'sending')));
end
$$;
