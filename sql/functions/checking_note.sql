-- subpay.checking_note: somebody came back from paying, and the provider does not say
-- whether they did. In ten minutes they are told how it stands (checkings_due).
create or replace function subpay.checking_note(in_order uuid) returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    insert into checkings as c (order_id)
    select o.id from orders o
     where o.id = in_order and o.state = 'pending'
       and not exists (select from tickets t
                        where t.dedupe_key = 'checking:' || in_order)
        on conflict (order_id) do update set asked = c.asked + 1;
end
$$;
