-- subpay.desk_tickets: which tickets an action is about: the one it names ("ticket"), or
-- the open ones of an order ("reference"). They are locked. answer stays null: go on.
-- Internal.
create or replace function subpay.desk_tickets(
    in_ask jsonb, out ids bigint[], out order_id uuid, out answer jsonb)
language plpgsql
as $$
begin
    select a.answer || '{"again": true}' into answer
      from desk_actions a where a.form_key = (in_ask ->> 'form_key')::uuid;
    if found then
        return;
    end if;
    select o.id into order_id from orders o where o.reference = in_ask ->> 'reference';
    ids := array(select t.id from tickets t
                  where t.reference = in_ask ->> 'ticket'
                     or not in_ask ? 'ticket' and t.order_id = desk_tickets.order_id
                        and t.state <> 'solved'
                  order by t.id
                    for update);
    if in_ask ? 'ticket' then
        select t.order_id into order_id from tickets t where t.id = ids[1];
    end if;
    if ids = '{}' and (in_ask ? 'ticket' or order_id is null) then
        answer := '{"verdict": "no_ticket"}';
    end if;
end
$$;
