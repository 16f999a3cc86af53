-- subpay.checking_note: somebody came back from paying, and the provider does not say
-- whether they did. They were promised a mail within ten minutes; it is written after
-- nine (checkings_due).
--
-- answers_at  a person has taken it over, and writes by then: epoch microseconds, else 0
create or replace function subpay.checking_note(in_order uuid, out answers_at bigint)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    select epoch_us(t.due_at) into answers_at
      from tickets t
     where t.dedupe_key = 'checking:' || in_order and t.state <> 'solved';
    if found then
        return;
    end if;
    answers_at := 0;
    insert into checkings as c (order_id, next_at)
    select o.id, now() + interval '9 minutes' from orders o
     where o.id = in_order and o.state = 'pending'
        on conflict (order_id) do update set asked = c.asked + 1;
end
$$;
