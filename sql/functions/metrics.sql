-- subpay.metrics: every number of /metrics that the database knows, in the order in which
-- they are written; labels as Prometheus takes them. Seconds, whole units, minor units of
-- money. No address, no name, no id.
create or replace function subpay.metrics()
returns table (name text, labels text, value numeric)
language plpgsql stable security definer
set search_path = subpay, pg_temp
set jit = off  -- compiling would take longer than the answer
as $$
#variable_conflict use_column
declare
    bounds constant numeric[] := metric_bounds();
begin
    return query
        with counts as materialized (
            select c.name, c.label, c.bucket, sum(c.value) as value
              from (select * from metric_sums
                    union all
                    select m.* from metric_until u, metric_counts(u.until, 'infinity') m) c
             group by c.name, c.label, c.bucket),
        waits as materialized (select * from money_waits())
        select l.name, l.labels, l.value
          from (
            select 1 as place, 'subpay_completions_total' as name,
                   format('{via="%s"}', v.via) as labels,
                   coalesce((select c.value from counts c
                              where c.name = 'completions' and c.label = v.via), 0) as value
              from unnest('{return,webhook,replay,reconcile,self_service,support}'::text[]) v(via)
            union all
            select 2, 'subpay_payments_total', format('{currency="%s"}', c.label), c.value
              from counts c where c.name = 'payments'
            union all
            select 3, 'subpay_payments_minor_units_total', format('{currency="%s"}', c.label),
                   c.value
              from counts c where c.name = 'taken'
            union all
            select 4, 'subpay_refunds_total', '',
                   coalesce((select c.value from counts c where c.name = 'refunds'), 0)
            union all
            select 5, 'subpay_access_delay_seconds_bucket',
                   format('{le="%s"}', coalesce(bounds[n]::text, '+Inf')),
                   coalesce((select sum(c.value) from counts c
                              where c.name = 'access' and c.bucket <= n), 0)
              from generate_series(1, cardinality(bounds) + 1) n
            union all
            select 6, 'subpay_access_delay_seconds_sum', '',
                   coalesce((select c.value from counts c where c.name = 'access_sum'), 0)
            union all
            select 7, 'subpay_access_delay_seconds_count', '',
                   coalesce((select sum(c.value) from counts c where c.name = 'access'), 0)
            union all
            select 10, 'subpay_outbox_messages', format('{state="%s"}', s),
                   (select count(*) from outbox m where m.state = s)
              from unnest('{pending,sending,dead}'::text[]) s
            union all
            select 11, 'subpay_outbox_oldest_seconds', '',
                   coalesce((select extract(epoch from now() - min(m.created_at))
                               from outbox m where m.state in ('pending', 'sending')), 0)
            union all
            select 12, 'subpay_run_age_seconds', format('{kind="%s"}', k),
                   (select extract(epoch from now() - r.finished_at) from runs r
                     where r.kind = k and r.ok order by r.id desc limit 1)
              from unnest('{events,orders,objects,deep,anomalies,endpoint}'::text[]) k
            union all
            select 13, 'subpay_worker_heartbeat_age_seconds', '',
                   (select extract(epoch from now() - max(w.beat_at)) from workers w)
            union all
            select 14, 'subpay_workers', '',
                   (select count(*) from workers w where w.beat_at > now() - interval '1 min')
            union all
            select 15, 'subpay_paid_without_access', '', (select count(*) from waits)
            union all
            select 16, 'subpay_paid_without_access_oldest_seconds', '',
                   coalesce((select extract(epoch from now() - min(w.since)) from waits w), 0)
            union all
            select 17, 'subpay_money_at_risk_minor_units', format('{currency="%s"}', r.currency),
                   sum(r.amount)
              from (select w.currency, w.amount from waits w
                    union all
                    select p.currency::text, p.amount - p.amount_refunded
                      from orders o join payments p on p.order_id = o.id
                     where o.state = 'review') r
             group by r.currency
            union all
            select 18, 'subpay_ledger_drift_credits', '', (
                   select coalesce(sum(abs(l.total - a.credits)), 0)
                     from accounts a
                    cross join lateral (select coalesce(sum(t.amount), 0) as total
                                          from credit_transactions t
                                         where t.account_id = a.id) l
                    where a.id in (select t.account_id from credit_transactions t
                                    order by t.id desc limit 1000))
            union all
            select 19, 'subpay_orders_open', format('{state="%s"}', s),
                   case s when 'review'
                        then (select count(*) from orders o where o.state = 'review')
                        else (select count(*) from orders o
                               where o.next_ask_at is not null and o.state = 'pending') end
              from unnest('{pending,review}'::text[]) s
            union all
            select 20, 'subpay_events_unsettled', format('{state="%s"}', s),
                   (select count(*) from provider_events e
                     where e.next_try_at is not null and e.state = s)
              from unnest('{received,failed,parked}'::text[]) s
            union all
            select 21, 'subpay_event_age_seconds', '',
                   (select extract(epoch from now() - max(e.received_at))
                      from provider_events e)
            union all
            select 22, 'subpay_tickets_open', '',
                   (select count(*) from tickets t where t.state <> 'solved')
            union all
            select 23, 'subpay_tickets_late', '',
                   (select count(*) from tickets t
                     where t.state <> 'solved' and t.due_at < now())
            union all
            select 24, 'subpay_alerts_open', format('{level="%s"}', s),
                   (select count(*) from alerts a where a.closed_at is null and a.level = s)
              from unnest('{page,today,log}'::text[]) s
            union all
            select 25, 'subpay_checkout_paused', '', checkout_paused()::int
            union all
            select 26, 'subpay_schema_version', '', (select max(m.version)
                                                       from schema_migrations m)) l
         where l.value is not null
         order by l.place, length(l.labels), l.labels;
end
$$;
