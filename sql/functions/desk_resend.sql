-- subpay.desk_resend: send the welcome once more, to the address as it is now. A mail
-- that is still on its way is hurried instead of doubled.
create or replace function subpay.desk_resend(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    b record;
    o subpay.orders;
    m subpay.outbox;
begin
    b := desk_begin('resend', in_ask);
    o := b.o;
    if b.answer is not null then
        return b.answer;
    elsif o.state <> 'completed' then
        return '{"verdict": "no_access"}';
    end if;
    select * into m from outbox k
     where k.order_id = o.id and k.kind = 'mail' and k.template in ('confirmation', 'recovered')
     order by k.id desc
     limit 1;
    if m.state in ('pending', 'sending') then
        update outbox set next_try_at = now() where id = m.id and state = 'pending';
    else
        insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
        values ('mail', coalesce(m.template, 'confirmation'),
                'resend:' || o.id || ':' || coalesce(in_ask ->> 'form_key',
                                                     gen_random_uuid()::text),
                o.id, o.email, coalesce(m.payload, '{}'));
    end if;
    perform outbox_wake();
    perform desk_solve(o.id, 'dead_mail', in_ask ->> 'actor', 'The mail was sent again.');
    return desk_end('resend', in_ask, o.id, jsonb_build_object('mail', m.state),
                    jsonb_build_object('mail', 'pending', 'to', o.email),
                    jsonb_build_object('verdict', 'resent', 'to', o.email));
end
$$;
