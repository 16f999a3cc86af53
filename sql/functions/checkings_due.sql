-- subpay.checkings_due: orders whose customer is to be told how their payment stands,
-- claimed for a minute: a worker that dies leaves them to the next.
create or replace function subpay.checkings_due(in_limit int)
returns setof subpay.order_now
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    return query
        with due as (
            update checkings c set next_at = now() + interval '1 minute',
                                   asked = c.asked + 1
             where c.order_id in (select n.order_id from checkings n
                                   where n.next_at <= now()
                                   order by n.next_at
                                   limit in_limit
                                     for update skip locked)
            returning c.order_id)
        select r.* from due join order_now r on r.id = due.order_id;
end
$$;
