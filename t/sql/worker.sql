-- What the worker asks: open orders at a falling rate without end, pages of the
-- provider's lists in one statement, runs, watermarks, the leader's lock.
\ir helper.psql
begin;
select plan(40);

-- The falling rate.
create function t.next_ask(in_n int, in_age interval) returns interval language plpgsql
as $$
begin
    update orders set created_at = now() - in_age where id = t.id(in_n);
    perform order_asked(t.id(in_n), null);
    return (select next_ask_at - now() from orders where id = t.id(in_n));
end
$$;
select t.placed(1) \g /dev/null
select is((select next_ask_at - now() from orders where id = t.id(1)), interval '1 min', 'first after a minute');
select is(t.next_ask(1, '61 s'), interval '239 s', 'then at five minutes');
select is(t.next_ask(1, '5 min'), interval '55 min', 'then at an hour');
select is(t.next_ask(1, '1 hour'), interval '1 day', 'then daily');
select is(t.next_ask(1, '3 years'), interval '1 day', 'without end: no clock closes an order');
select is((select asks from orders where id = t.id(1)), 4, 'the questions are counted');
select is((select state from orders where id = t.id(1)), 'pending', 'and decide nothing');

-- What is due.
select t.placed(n) from generate_series(2, 6) n \g /dev/null
update orders set created_at = now() - interval '10 min', next_ask_at = now() - interval '1 min' where id = t.id(2);
update orders set created_at = now() - interval '3 hours', next_ask_at = now() - interval '2 min' where id = t.id(3);
update orders set created_at = now() - interval '3 hours', next_ask_at = now() + interval '1 hour' where id = t.id(4);
select results_eq('select id from orders_due(10, false)', 'values (t.id(3)), (t.id(2))', 'due orders, longest first');
select results_eq('select id from orders_due(1, false)', 'values (t.id(3))', 'as many as asked for');
select set_eq('select id from orders_due(10, true)', 'values (t.id(3)), (t.id(2)), (t.id(5)), (t.id(6))',
    'at start all young ones as well, whatever their time');
select t.says(t.paid(5)) \g /dev/null
select is((select count(*) from orders_due(10, true) where id = t.id(5)), 0::bigint, 'a completed order is not asked about');
select is(order_asked(t.id(5), null), 0::bigint, 'nor put back into the queue');
select t.says(t.fact(6, 'checkout.expired')) \g /dev/null
select is((select next_ask_at - now() from orders where id = t.id(6)), interval '1 day', 'a closed one daily, while money may still come');
update orders set checkout_expires_at = now() - interval '25 hours' where id = t.id(6);
select is(order_asked(t.id(6), null), 0::bigint, 'until its page has been shut for a day');

-- One page of the provider's payments.
select t.placed(n), t.says(t.paid(n)) from generate_series(10, 13) n \g /dev/null
select t.says(t.paid(12, '{"event_id": "d12", "disputed": true, "amount_refunded": 100}')) \g /dev/null
select t.placed(14), t.says(t.paid(14, '{"amount": 1}')) \g /dev/null
select is_empty(
    $$ select * from payments_unmatched('stripe', '{pi_10,pi_11,pi_12,pi_13,pi_14}', '{24900,24900,24900,24900,1}',
                                        '{0,0,100,0,0}', '{f,f,t,f,f}') $$, 'a page that matches');
select results_eq(
    $$ select * from payments_unmatched('stripe', '{pi_10,pi_99,pi_11,pi_12,pi_13}', '{24900,24900,24901,24900,24900}',
                                        '{0,0,0,100,5}', '{f,f,f,t,f}') $$,
    'values (2), (3), (5)', 'missing, another amount, a refund we do not know: by position, from 1');
select results_eq(
    $$ select * from payments_unmatched('stripe', '{pi_10,pi_12}', '{24900,24900}', '{0,100}', '{t,f}') $$,
    'values (1), (2)', 'disputes we do not know, or that they do not');
select results_eq($$ select * from payments_unmatched('creem', '{pi_10}', '{24900}', '{0}', '{f}') $$, 'values (1)', 'each provider by itself');
select is_empty($$ select * from payments_unmatched('stripe', '{}', '{}', '{}', '{}') $$, 'an empty page');
set session_replication_role = replica;
update orders set state = 'pending', completed_at = null, completed_via = null where id = t.id(13);
set session_replication_role = origin;
select results_eq($$ select * from payments_unmatched('stripe', '{pi_13}', '{24900}', '{0}', '{f}') $$, 'values (1)', 'a payment whose order never took it in');

-- It stays by index, at any size: no sequential scan of a table that grows.
create function t.plan_of(in_sql text) returns text language plpgsql
as $$
declare
    line text;
    total text := '';
begin
    set local enable_seqscan = off;
    for line in execute 'explain ' || in_sql loop
        total := total || line || E'\n';
    end loop;
    set local enable_seqscan = on;
    return total;
end
$$;
select unalike(t.plan_of(q), '%Seq Scan%', 'by index: ' || left(q, 60))
  from unnest(array[
    'select from orders where id = t.id(1) for update',
    'select from orders where provider = ''stripe'' and checkout_id = ''cs_1'' for update',
    'select from orders where checkout_id = ''cs_1''',
    'select from payments p where p.provider = ''stripe'' and p.payment_id = ''pi_1''',
    'select from payments p where p.payment_id = ''pi_1''',
    'select from orders where next_ask_at <= now() order by next_ask_at limit 10',
    'select from orders where email_fold(email) = ''a@b''',
    'select from provider_events where next_try_at <= now() order by next_try_at limit 10',
    'select from outbox where state in (''pending'', ''sending'') and next_try_at <= now() order by next_try_at limit 10',
    'select from orders where completed_at > now() - interval ''2 days''',
    'select from orders where state = ''review''']) q;

-- Runs and watermarks.
select run_begin('events', null) as run \gset
select is((select ok from runs_recent(1)), null, 'a run that has begun is neither good nor bad');
select is(run_end(:run, true, '{"seen": 3}', null), true, 'it ends well');
select is(run_end(:run, false, null, 'late'), false, 'once');
select results_eq('select id, kind, ok, counts, error from runs_recent(1)',
    format($$ values (%s::bigint, 'events', true, '{"seen": 3}'::jsonb, null::text) $$, :run), 'as told first');
select throws_ok($$ select run_begin('lunch', null) $$, '23514', null, 'only kinds that are known');
select results_eq($$ select at, cursor from watermark_get('objects') $$, $$ values (null::timestamptz, null::text) $$, 'no watermark yet');
select watermark_set('objects', now(), 'pi_7') \g /dev/null
select watermark_set('objects', now() - interval '1 hour', null) \g /dev/null
select results_eq($$ select at, cursor from watermark_get('objects') $$, $$ values (now(), null::text) $$, 'it never goes back');
select watermark_set('objects', now() + interval '1 day', null) \g /dev/null
select results_eq($$ select at from watermark_get('objects') $$, $$ values (now()) $$, 'nor ahead of now');

-- The fleet.
select worker_beat(t.id(90), 'web1', 11, true), worker_beat(t.id(91), 'web2', 12, false), worker_beat(t.id(90), 'web1', 11, true) \g /dev/null
select results_eq('select host, pid, leader from workers order by host', $$ values ('web1', 11, true), ('web2', 12, false) $$, 'workers beat');

select * from finish();
rollback;
