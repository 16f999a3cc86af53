-- subpay.outbox_next: when to look into the outbox next, in epoch microseconds; 0 when
-- there is nothing. Very soon while a transaction that queued something is on its way
-- (outbox_wake).
--
-- Volatile, so that the second statement sees what was committed before the first:
-- whoever no longer holds the lock has its row there.
create or replace function subpay.outbox_next() returns bigint
language plpgsql volatile security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    if advisory_held(3) then
        return epoch_us(clock_timestamp() + interval '50 ms');
    end if;
    return epoch_us((select min(next_try_at)
                       from outbox
                      where state in ('pending', 'sending')));
end
$$;
