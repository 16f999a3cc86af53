-- subpay.orders_due: open orders that the provider should be asked about now, longest
-- due first.
--
-- in_start  right after a start: also every pending order younger than an hour, whatever
--           its next time. Whoever paid while we were away must not wait for it.
create or replace function subpay.orders_due(in_limit int, in_start boolean)
returns setof subpay.order_now
language plpgsql stable security definer
set search_path = subpay, pg_temp
set plan_cache_mode = force_generic_plan  -- planning takes 60 times as long as the answer
as $$
begin
    return query
        with due as (
            select o.id, o.next_ask_at
              from orders o
             where o.next_ask_at <= case when in_start then now() + interval '1 hour'
                                         else now() end
               and (o.next_ask_at <= now()
                    or o.state = 'pending' and o.created_at > now() - interval '1 hour')
             order by o.next_ask_at
             limit in_limit)
        select r.*
          from due
          join order_now r on r.id = due.id
         order by due.next_ask_at;
end
$$;
