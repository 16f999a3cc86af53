-- subpay.desk_pictures: the figures of the page of pictures: what happened on each of the
-- last in_days days, by the clock of SubPaySupportHours, and the money at risk now.
--
-- A mail is late when it left more than a minute after it was written, or has waited for
-- longer. Seconds from payment to access are counted in the buckets of /metrics.
create or replace function subpay.desk_pictures(in_days int default 30) returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
set jit = off  -- compiling would take longer than the answer
as $$
declare
    bounds constant numeric[] := metric_bounds();
    said constant text := split_part((select s.support_hours from settings s), ' ', 3);
    -- Looked up once: local_time() for each row would cost more than all the rest.
    zone constant text := coalesce((select z.name from pg_timezone_names z
                                     where z.name = said), 'UTC');
    today constant date := (now() at time zone zone)::date;
    since constant timestamptz := now() - in_days * interval '1 day';
begin
    return (
        with day as (
            select d::date as day
              from generate_series(today - in_days + 1, today, interval '1 day') d),
        placed as (
            select (o.created_at at time zone zone)::date as day, count(*) as orders
              from orders o where o.created_at > since group by 1),
        paid as (
            select (coalesce(p.paid_at, p.created_at) at time zone zone)::date as day,
                   count(*) as payments
              from payments p where p.created_at > since group by 1),
        mails as (
            select (m.created_at at time zone zone)::date as day,
                   count(*) filter (where m.state = 'sent'
                                          and m.last_error is null) as sent,
                   count(*) filter (where coalesce(m.sent_at, now()) - m.created_at
                                          > interval '1 min') as late
              from outbox m where m.created_at > since and m.kind = 'mail' group by 1),
        done as materialized (
            select o.completed_via as via,
                   extract(epoch from greatest(o.access_delay, interval '0')) as s
              from orders o where o.completed_at > since),
        spread as (
            select 1 + width_bucket(d.s - 0.000001, bounds) as n, count(*) as orders
              from done d where d.s is not null group by 1),
        risk as materialized (
            select w.amount, w.currency, w.since from money_waits() w
            union all
            select p.amount - p.amount_refunded, p.currency::text,
                   coalesce(p.paid_at, p.created_at)
              from orders o join payments p on p.order_id = o.id
             where o.state = 'review' and p.amount_refunded < p.amount),
        age (place, label, least_s, most_s) as (
            values (1, 'under 10 min', 0, 600), (2, 'under 1 h', 600, 3600),
                   (3, 'under 1 day', 3600, 86400), (4, 'longer', 86400, null))
        select jsonb_build_object(
            'days', in_days, 'zone', zone,
            'by_day', (
                select jsonb_agg(jsonb_build_object(
                           'day', d.day, 'label', to_char(d.day, 'FMDD Mon'),
                           'orders', coalesce(o.orders, 0), 'payments', coalesce(p.payments, 0), 'sent', coalesce(m.sent, 0),
                           'late', coalesce(m.late, 0)) order by d.day)
                  from day d
                  left join placed o using (day)
                  left join paid p using (day)
                  left join mails m using (day)),
            'access', jsonb_build_object(
                'count', (select count(*) from done d where d.s is not null),
                'p50_s', (select round(percentile_cont(0.5) within group (order by d.s)
                                       ::numeric, 1) from done d where d.s is not null),
                'p95_s', (select round(percentile_cont(0.95) within group (order by d.s)
                                       ::numeric, 1) from done d where d.s is not null),
                'spread', (
                    select jsonb_agg(jsonb_build_object(
                               'within', case
                                   when n > cardinality(bounds) then 'longer'
                                   when bounds[n] < 60 then bounds[n] || ' s'
                                   when bounds[n] < 3600 then
                                       trim_scale(bounds[n] / 60) || ' min'
                                   else trim_scale(bounds[n] / 3600) || ' h' end,
                               'orders', coalesce(s.orders, 0)) order by n)
                      from generate_series(1, cardinality(bounds) + 1) n
                      left join spread s using (n))),
            'via', (
                select jsonb_agg(jsonb_build_object(
                           'via', v.via, 'label', v.label,
                           'orders', (select count(*) from done d where d.via = v.via))
                       order by v.place)
                  from unnest('{return,webhook,replay,reconcile,self_service,support}'::text[],
                              '{return,webhook,replay,reconcile,customer,support}'::text[])
                           with ordinality v(via, label, place)),
            'risk', jsonb_build_object(
                'payments', (select count(*) from risk),
                'money', (select string_agg(money_text(t.total, t.currency), ' + ')
                            from (select r.currency, sum(r.amount)::bigint as total
                                    from risk r group by r.currency order by r.currency) t),
                'by_age', (
                    select jsonb_agg(jsonb_build_object(
                               'waiting', a.label, 'payments', coalesce(t.payments, 0),
                               'money', t.money) order by a.place)
                      from age a
                      left join lateral (
                          select sum(c.payments)::bigint as payments,
                                 string_agg(money_text(c.total, c.currency), ' + '
                                            order by c.currency) as money
                            from (select r.currency, count(*) as payments,
                                         sum(r.amount)::bigint as total
                                    from risk r
                                   where now() - r.since >= a.least_s * interval '1 s'
                                     and (a.most_s is null
                                          or now() - r.since < a.most_s * interval '1 s')
                                   group by r.currency) c) t on true))));
end
$$;
