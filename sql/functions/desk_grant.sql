-- subpay.desk_grant: access without a payment. One person asks for it, another one gives
-- it; it always ends. in_ask also carries days (of whom asks).
create or replace function subpay.desk_grant(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    actor constant text := in_ask ->> 'actor';
    days constant int := (in_ask ->> 'days')::int;
    b record;
    o subpay.orders;
    g subpay.grants;
    account uuid;
    until timestamptz;
begin
    b := desk_begin('grant', in_ask - 'seen');
    o := b.o;
    if b.answer ->> 'verdict' in ('no_order') or b.answer ? 'again' then
        return b.answer;
    elsif o.email is null or exists (
              select from subscriptions s where s.order_id = o.id) then
        return jsonb_build_object('verdict', case when o.email is null then 'no_email'
                                                  else 'has_access' end);
    end if;
    select * into g from grants r where r.order_id = o.id for update;
    if not found then
        if days is null or days not between 1 and 366 then
            return '{"verdict": "bad_days"}';
        end if;
        insert into grants (order_id, days, reason, asked_by)
        values (o.id, days, coalesce(in_ask ->> 'reason', ''), actor);
        return desk_end('grant_asked', in_ask, o.id, null,
                        jsonb_build_object('days', days),
                        '{"verdict": "grant_asked"}');
    elsif g.asked_by = actor then
        return '{"verdict": "second_person"}';
    end if;

    until := period_after(now(), g.days * interval '1 day');
    insert into accounts as a (email, name) values (email_fold(o.email), o.name)
        on conflict (email) do update set name = coalesce(a.name, excluded.name)
    returning a.id into account;
    insert into subscriptions (order_id, account_id, product, starts_at, expires_at)
    values (o.id, account, o.product, now(), until);
    update grants set given_by = actor, given_at = now() where order_id = o.id;
    return desk_end('grant', in_ask, o.id,
                    jsonb_build_object('asked_by', g.asked_by, 'reason', g.reason),
                    jsonb_build_object('days', g.days, 'expires_at', until),
                    jsonb_build_object('verdict', 'granted', 'until', moment(until)));
end
$$;
