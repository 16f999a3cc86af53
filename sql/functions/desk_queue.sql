-- subpay.desk_queue: what needs a person: how long somebody has waited times the money
-- at stake, the most first. What healed by itself is a count. Looks at what is open only.
--
-- A customer waits since the first message that nobody has answered. Raised: a dispute due
-- within two days, who wrote again without an answer, who paid twice. What weighs the same
-- stays in the order in which it came.
create or replace function subpay.desk_queue() returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
declare
    at_once constant int := 100;
begin
    return (
        with waiting as (
            select t.reference as ticket, t.kind, t.subject, t.owner, t.due_at,
                   coalesce(wrote.since, t.created_at) as since,
                   coalesce(o.email, t.email) as email, coalesce(o.name, t.name) as name,
                   o.reference, o.amount, o.currency, o.state, o.asks, o.next_ask_at,
                   wrote.times,
                   greatest(1, extract(epoch from now() - coalesce(wrote.since, t.created_at))
                               / 60)
                       * coalesce(o.amount, 10000)
                       * case when t.kind = 'duplicate' then 2
                              when t.kind = 'dispute' and t.due_at < now() + interval '48 h'
                                  then 10
                              else 1 end
                       * greatest(1, wrote.times) as weight,
                   t.id
              from (select * from tickets k where k.state = 'open'
                     order by k.due_at limit 1000) t
              -- one by one: a merge would walk through all orders in between
              left join lateral (select * from orders r where r.id = t.order_id offset 0) o
                     on true
              cross join lateral (
                  select min(m.created_at) as since, count(*) as times
                    from ticket_messages m
                   where m.ticket_id = t.id and m.direction = 'in'
                     and m.id > coalesce((select max(k.id) from ticket_messages k
                                           where k.ticket_id = t.id
                                             and k.direction = 'out'), 0)) wrote
            union all
            -- money is here, nobody has access, and no ticket says so
            select null, 'paid_stuck', 'Paid, and not completed', 'support', null,
                   coalesce(p.paid_at, p.created_at), o.email, o.name, o.reference, o.amount,
                   o.currency, o.state, o.asks, o.next_ask_at, 0,
                   greatest(1, extract(epoch from now() - coalesce(p.paid_at, p.created_at))
                               / 60) * (p.amount - p.amount_refunded), 0
              from orders o
              join payments p on p.order_id = o.id and p.amount_refunded < p.amount
             where o.next_ask_at is not null
               and not exists (select from tickets k
                                where k.order_id = o.id and k.state <> 'solved'))
        select jsonb_strip_nulls(jsonb_build_object(
            'rows', coalesce((
                select jsonb_agg(jsonb_build_object(
                           'ticket', w.ticket, 'kind', w.kind, 'subject', w.subject,
                           'owner', w.owner, 'email', w.email, 'name', w.name,
                           'reference', w.reference, 'asked', w.asks,
                           'next_ask_at', moment(w.next_ask_at),
                           'wrote', nullif(w.times, 0),
                           'wrote_again', nullif(w.times > 1, false),
                           'amount_text', money_text(w.amount, w.currency),
                           'minutes', (extract(epoch from now() - w.since) / 60)::bigint,
                           'since', moment(w.since), 'due_at', moment(w.due_at),
                           'late', nullif(w.due_at < now(), false),
                           'diagnosis_code', case when w.reference is not null then (
                               select diagnose(o.id) from orders o
                                where o.reference = w.reference) end)
                       order by w.weight desc, w.since, w.id, w.reference)
                  from (select * from waiting
                         order by weight desc, since, id, reference limit at_once) w), '[]'),
            'count', (select count(*) from waiting),
            'money', (select string_agg(money_text(s.total, s.currency), ' + ')
                        from (select currency, sum(amount)::bigint as total from waiting
                               where currency is not null group by currency) s),
            'waiting_for_them', (select count(*) from tickets k where k.state = 'waiting'),
            'healed', (select count(*) from orders o
                        where o.completed_at > now() - interval '1 day'
                          and o.completed_via in ('replay', 'reconcile', 'self_service')),
            'dead', (select count(*) from outbox m where m.state = 'dead'),
            'alerts', (
                select jsonb_agg(jsonb_build_object(
                           'key', a.key, 'level', a.level, 'text', a.text,
                           'count', a.count, 'since', moment(a.raised_at)) order by a.id)
                  from alerts a where a.closed_at is null),
            'grants', (
                select jsonb_agg(jsonb_build_object(
                           'reference', o.reference, 'email', o.email, 'days', g.days,
                           'asked_by', g.asked_by, 'why', g.reason) order by g.asked_at)
                  from grants g join orders o on o.id = g.order_id
                 where g.given_at is null))));
end
$$;
