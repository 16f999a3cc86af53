-- subpay.order_asked: the provider was asked about this order; when the next time comes
-- follows from its age (order_ask_after). What was answered is a fact and goes through
-- settle; in_note is kept for the page of runs only when asking failed.
--
-- Returns the next time in epoch microseconds, 0 for never.
create or replace function subpay.order_asked(in_order uuid, in_note text) returns bigint
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    next_at timestamptz;
begin
    update orders o
       set asks = o.asks + 1, next_ask_at = order_ask_after(o), updated_at = now()
     where o.id = in_order
    returning o.next_ask_at into next_at;
    return epoch_us(next_at);
end
$$;
