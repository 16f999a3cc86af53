-- subpay.desk_assign: somebody takes a ticket, or hands it over. in_ask also carries
-- owner; none: whoever asks.
create or replace function subpay.desk_assign(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    about record;
    new_owner constant text := coalesce(in_ask ->> 'owner', in_ask ->> 'actor');
    was text;
begin
    about := desk_tickets(in_ask);
    if about.answer is not null then
        return about.answer;
    end if;
    select t.owner into was from tickets t
     where t.id = any (about.ids) and t.owner <> new_owner limit 1;
    if not found then
        return jsonb_build_object('verdict', case when about.ids = '{}' then 'no_ticket'
                                                  else 'already' end);
    elsif was <> 'support' and in_ask ? 'owner_seen' and was <> in_ask ->> 'owner_seen' then
        return jsonb_build_object('verdict', 'stale', 'by', was);
    end if;
    update tickets t set owner = new_owner, updated_at = now() where t.id = any (about.ids);
    return desk_end('assign', in_ask, about.order_id, jsonb_build_object('owner', was),
                    jsonb_build_object('owner', new_owner),
                    jsonb_build_object('verdict', 'assigned', 'owner', new_owner),
                    about.ids[1]);
end
$$;
