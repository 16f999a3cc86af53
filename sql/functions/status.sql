-- subpay.status: one row of counts and ages, for people, /health and /metrics. Ages in
-- seconds, null when there is nothing. Counts what is open and what is recent, by index:
-- asking must cost the same in a year.
create or replace function subpay.status(
    out version int, out orders_pending bigint, out orders_review bigint,
    out oldest_processing_s bigint, out completed_day bigint, out recovered_day bigint,
    out outbox_pending bigint, out outbox_oldest_s bigint, out outbox_dead bigint,
    out events_open bigint, out events_parked bigint, out last_event_s bigint,
    out tickets_open bigint, out tickets_late bigint, out alerts_open bigint,
    out last_good_run_s bigint, out workers bigint, out leader text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    select max(m.version) into version from schema_migrations m;
    select count(*) filter (where o.state = 'pending'),
           extract(epoch from now() - min(o.updated_at) filter (where o.processing))
      into orders_pending, oldest_processing_s
      from orders o where o.next_ask_at is not null;
    select count(*) into orders_review from orders o where o.state = 'review';
    select count(*),
           count(*) filter (where o.access_delay > (select late_after from settings))
      into completed_day, recovered_day
      from orders o where o.completed_at > now() - interval '1 day';
    select count(*), extract(epoch from now() - min(m.created_at))
      into outbox_pending, outbox_oldest_s
      from outbox m where m.state in ('pending', 'sending');
    select count(*) into outbox_dead from outbox m where m.state = 'dead';
    select count(*), count(*) filter (where e.state = 'parked')
      into events_open, events_parked
      from provider_events e where e.next_try_at is not null;
    select extract(epoch from now() - max(e.received_at)) into last_event_s
      from provider_events e;
    select count(*), count(*) filter (where t.due_at < now())
      into tickets_open, tickets_late
      from tickets t where t.state <> 'solved';
    select count(*) into alerts_open from alerts a where a.closed_at is null;
    select extract(epoch from now() - r.finished_at) into last_good_run_s
      from runs r where r.kind = 'events' and r.ok order by r.id desc limit 1;
    select count(*), max(w.host || ' ' || w.pid) filter (where w.leader)
      into workers, leader
      from workers w where w.beat_at > now() - interval '1 min';
end
$$;
