-- What people and the daily look ask: find an order, say what is the matter, find what
-- does not fit together, mend what is safe to mend.
\ir helper.psql
begin;
select plan(38);

select t.placed(1, 10), t.says(t.paid(1)) \g /dev/null
select reference as ref from orders where id = t.id(1) \gset

-- lookup
select results_eq(format('select id, diagnosis from lookup(%L)', q), format('values (%L::uuid, ''healthy'')', t.id(1)), 'found by ' || what)
  from (values ('c1@example.com', 'address'), (' C1@Example.com ', 'address in capitals'), (:'ref', 'reference'),
               (lower(:'ref'), 'reference in small letters'), ('pi_1', 'payment'), ('cs_1', 'payment page')) v (q, what);
select is_empty(format('select * from lookup(%L)', q), 'nothing for ' || quote_literal(q))
  from unnest('{nobody@example.com,SP-0000-0000,pi_,%,""}'::text[]) q;
select is_empty('select * from lookup(null)', 'nothing for nothing');

-- diagnosis
create function t.diagnosis(in_n int) returns text language sql as $$ select diagnose(t.id(in_n)) $$;
select t.placed(n) from generate_series(2, 9) n \g /dev/null
select is(t.diagnosis(2), 'never_charged', 'nothing was paid');
select t.says(t.paid(3, '{"amount": 1}')) \g /dev/null
select is(t.diagnosis(3), 'review', 'does not match');
select t.says(t.paid(4)), t.says(t.refund(4, 24900, 'succeeded')) \g /dev/null
select is(t.diagnosis(4), 'refunded', 'refunded');
select t.says(t.paid(5)), t.says(t.dispute(5, 'open')) \g /dev/null
select is(t.diagnosis(5), 'disputed', 'disputed');
select t.says(t.paid(6)), t.says(t.paid(6, '{"payment_id": "pi_6b", "event_id": "e6b"}')) \g /dev/null
select is(t.diagnosis(6), 'duplicate', 'paid twice');
select t.says(t.paid(7)) \g /dev/null
update subscriptions set starts_at = now() - interval '2 years', expires_at = now() - interval '1 year' where order_id = t.id(7);
select is(t.diagnosis(7), 'expired', 'has run out');
select t.says(t.paid(8)) \g /dev/null
update outbox set created_at = now() - interval '1 hour' where order_id = t.id(8);
select is(t.diagnosis(8), 'mail_not_sent', 'the welcome has not left');
update outbox set state = 'sent', sent_at = now() where order_id = t.id(8);
select is(t.diagnosis(8), 'healthy', 'now it has');
insert into payments (provider, payment_id, order_id, mode, amount, currency) values ('stripe', 'pi_9', t.id(9), 'test', 24900, 'USD');
select is(t.diagnosis(9), 'paid_stuck', 'a payment that completed nothing');

-- anomalies, and mending them
select is_empty($$ select * from anomalies() where code <> 'review' $$, 'nothing is wrong');
delete from subscriptions where order_id = t.id(1);
select results_eq('select code, order_id, reference from anomalies()', format('values (''no_subscription'', %L::uuid, %L)', t.id(1), :'ref'),
    'completed without a subscription');
select is(t.diagnosis(1), 'no_subscription', 'is its diagnosis');
select is(anomaly_mend('no_subscription', t.id(1)), true, 'is mended');
select is(anomaly_mend('no_subscription', t.id(1)), false, 'once');
select results_eq('select starts_at, expires_at, status from subscriptions where order_id = t.id(1)',
    $$ values (now(), now() + interval '1 year', 'active') $$, 'as it would have been');
delete from outbox where dedupe_key = 'welcome:' || t.id(1);
select results_eq('select code, order_id from anomalies()', $$ values ('mail_not_sent', t.id(1)) $$, 'completed without a welcome');
select is(anomaly_mend('mail_not_sent', t.id(1)), true, 'is mended');
select is((select template from outbox where dedupe_key = 'welcome:' || t.id(1)), 'recovered', 'with an apology');
update tickets set state = 'solved', solved_at = now() where order_id = t.id(3);
select results_eq('select code, order_id from anomalies()', $$ values ('review', t.id(3)) $$, 'in review, and no open ticket');
select is(anomaly_mend('review', t.id(3)), true, 'gets one');
select is((select count(*) from tickets where order_id = t.id(3) and state = 'open'), 1::bigint, 'again');
update tickets set due_at = now() - interval '1 s' where order_id = t.id(3) and state = 'open';
select results_eq('select code from anomalies()', $$ values ('ticket_late') $$, 'a ticket past its due time');
update tickets set due_at = now() + interval '1 s' where order_id = t.id(3) and state = 'open';
set session_replication_role = replica;
update accounts set credits = 11 where email = 'c1@example.com';
set session_replication_role = origin;
select results_eq('select code from anomalies()', $$ values ('ledger') $$, 'a balance that is not the sum of its entries');
select is(anomaly_mend('ledger', null), false, 'is a person''s');
select is((select array_agg(distinct action) from audit where action like 'anomaly%'), '{anomaly.mended}', 'mending is written down');

-- status
select results_eq(
    $$ select orders_pending, orders_review, completed_day, outbox_dead, events_open, tickets_open > 0, workers from status() $$,
    $$ values (2::bigint, 1::bigint, 6::bigint, 0::bigint, 0::bigint, true, 0::bigint) $$, 'one row says how things are');

select * from finish();
rollback;
