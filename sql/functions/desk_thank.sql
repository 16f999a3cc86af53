-- subpay.desk_thank: the customer's last message asks for nothing and says thank you: the
-- ticket is solved, and both people read it in the digest.
create or replace function subpay.desk_thank(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    about record;
    t subpay.tickets;
begin
    about := desk_tickets(in_ask);
    if about.answer is not null then
        return about.answer;
    end if;
    select * into t from tickets k where k.id = about.ids[1];
    if t.thanked_at is not null then
        return '{"verdict": "already"}';
    elsif not exists (select from ticket_messages m
                       where m.ticket_id = t.id and m.direction = 'in') then
        return '{"verdict": "no_text"}';
    end if;
    update tickets k
       set thanked_at = now(), state = 'solved', solved_at = coalesce(k.solved_at, now()),
           updated_at = now()
     where k.id = t.id;
    return desk_end('thank', in_ask - 'reason', about.order_id,
                    jsonb_build_object('state', t.state), '{"state": "solved"}',
                    '{"verdict": "thanked"}', t.id);
end
$$;
