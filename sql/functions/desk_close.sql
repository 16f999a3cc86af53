-- subpay.desk_close: a ticket is solved, or the open ones of an order are.
create or replace function subpay.desk_close(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    about record;
    was text;
begin
    about := desk_tickets(in_ask);
    if about.answer is not null then
        return about.answer;
    end if;
    select t.state into was from tickets t
     where t.id = any (about.ids) and t.state <> 'solved' limit 1;
    if not found then
        return jsonb_build_object('verdict', case when about.ids = '{}' then 'no_ticket'
                                                  else 'already' end);
    end if;
    update tickets t set state = 'solved', solved_at = now(), updated_at = now()
     where t.id = any (about.ids) and t.state <> 'solved';
    return desk_end('close', in_ask, about.order_id, jsonb_build_object('state', was),
                    '{"state": "solved"}', '{"verdict": "closed"}', about.ids[1]);
end
$$;
