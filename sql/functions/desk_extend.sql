-- subpay.desk_extend: give days, as goodwill. in_ask also carries days.
create or replace function subpay.desk_extend(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    days constant int := (in_ask ->> 'days')::int;
    b record;
    o subpay.orders;
    was timestamptz;
    s subpay.subscriptions;
begin
    b := desk_begin('extend', in_ask);
    o := b.o;
    if b.answer is not null then
        return b.answer;
    elsif days is null or days not between 1 and 366 then
        return '{"verdict": "bad_days"}';
    end if;
    select * into s from subscriptions u where u.order_id = o.id for update;
    if not found or s.status <> 'active' or s.expires_at is null then
        return '{"verdict": "no_access"}';
    end if;
    was := s.expires_at;
    update orders r set bonus_days = r.bonus_days + days, updated_at = now()
     where r.id = o.id
    returning r.* into o;
    update subscriptions u
       set expires_at = case when o.completed_at is null
                             then u.expires_at + days * interval '1 day'
                             else paid_until(o, u.starts_at) end,
           grace_until = u.grace_until + days * interval '1 day'
     where u.id = s.id
    returning u.* into s;
    return desk_end('extend', in_ask, o.id, jsonb_build_object('expires_at', was),
                    jsonb_build_object('expires_at', s.expires_at, 'days', days),
                    jsonb_build_object('verdict', 'extended', 'until', moment(s.expires_at)));
end
$$;
