-- Access before capture: money that is held grants access once and is taken once; what is
-- let go ends it; and nothing is called paid that is not.
\ir helper.psql
begin;
select plan(70);

create function t.held(in_n int, in_over jsonb default '{}') returns jsonb language sql
as $$ select t.paid(in_n, jsonb_build_object('kind', 'payment.authorised', 'event_id', 'evt_held_' || in_n,
          'hold_until', t.ago(-7 * 86400)) || in_over) $$;
create function t.void(in_n int, in_over jsonb default '{}') returns jsonb language sql
as $$ select t.fact(in_n, 'payment.void', jsonb_build_object('payment_id', 'pi_' || in_n,
          'amount', 24900, 'currency', 'USD') || in_over) $$;
create function t.holds(in_n int) returns text language sql
as $$ select concat_ws(' ', o.state, o.processing, p.state, s.status, o.failure)
        from orders o left join payments p on p.order_id = o.id
        left join subscriptions s on s.order_id = o.id where o.id = t.id(in_n) $$;
create function t.rows(in_n int, in_kind text) returns text language sql
as $$ select string_agg(concat_ws(' ', m.dedupe_key, m.state), ', ' order by m.id)
        from outbox m where m.order_id = t.id(in_n) and m.kind = in_kind $$;

-- Held, access, taken.
select t.placed(1, 100) \g /dev/null
select is(t.says(t.held(1)), 'completed', 'held is enough for access');
select is(t.holds(1), 'completed t held active', 'the order says that the money is not taken yet');
select is(t.rows(1, 'capture'), 'capture:pi_1 pending', 'it is to be taken, decided with the access');
select is((select payload - 'asked_at' from outbox where kind = 'capture'),
    '{"amount": 24900, "currency": "USD", "provider": "stripe", "payment_id": "pi_1"}'::jsonb, 'all of it');
select is((select credits from accounts), 100::bigint, 'credits too');
select is(t.says(t.held(1)), 'already', 'once');
select is(t.says(t.held(1, '{"event_id": "again"}')), 'already', 'by any road');
select is(t.rows(1, 'capture'), 'capture:pi_1 pending', 'and taken once');
select ok(capture_allowed('stripe', 'pi_1'), 'the worker may');
select is((select count(*) from metric_counts(now() - interval '1 h', now() + interval '1 h') where name = 'taken'), 0::bigint,
    'no metric calls it taken');
select is(t.says(t.paid(1)), 'updated', 'taken');
select is(t.holds(1), 'completed f taken active', 'and said so');
select is(t.rows(1, 'capture'), 'capture:pi_1 sent', 'nothing is left to do');
select ok(not capture_allowed('stripe', 'pi_1'), 'nor allowed');
select is((select value from metric_counts(now() - interval '1 h', now() + interval '1 h') where name = 'taken'), 24900::numeric,
    'counted once it is taken');
select is(t.says(t.held(1, '{"event_id": "late"}')), 'already', 'a late word of the hold');
select is(t.says(t.void(1)), 'already', 'or of its end');
select is(t.holds(1), 'completed f taken active', 'changes nothing');
select is((select array_agg(action order by id) from audit where order_id = t.id(1)),
    '{order.completed,payment.captured}', 'history has both steps');

-- Taken before we heard that it was held.
select t.placed(2) \g /dev/null
select is(t.says(t.paid(2)), 'completed', 'taken first');
select is(t.says(t.held(2)), 'updated', 'then the hold, which tells how long it was one');
select is(concat_ws(' ', t.holds(2), t.rows(2, 'capture')), 'completed f taken active', 'the same in the end, and nothing to take');

-- The hold ends before it was taken.
select t.placed(3, 50) \g /dev/null
select is(t.says(t.held(3)), 'completed', 'held');
select is(t.says(t.void(3)), 'closed refunded', 'the bank lets go');
select is(t.holds(3), 'refunded f released refunded released', 'access ends, and the order says why');
select is((select credits from accounts where email = 'c3@example.com'), 0::bigint, 'credits go as well');
select is(t.rows(3, 'capture'), 'capture:pi_3 sent', 'nothing is left to take');
select is((select array_agg(template order by id) from outbox where order_id = t.id(3) and kind = 'mail'), '{confirmation,released}',
    'the customer is told');
select is((select kind from tickets where order_id = t.id(3)), 'capture_failed', 'a person too');
select is(t.says(t.void(3, '{"event_id": "twice"}')), 'already released', 'once');
select is(t.says(t.held(3, '{"event_id": "late3"}')), 'already released', 'a late word of the hold brings nothing back');
select is((select count(*) from refunds), 0::bigint, 'no refund is claimed: nothing was charged');

-- Decided against: let go, not refunded.
select t.placed(4) \g /dev/null
select is(t.says(t.held(4)), 'completed', 'held');
insert into outbox (kind, dedupe_key, order_id, payload) select 'refund', 'refund:x', t.id(4), payload || '{"by": "sam"}'
  from outbox where kind = 'capture' and order_id = t.id(4);
select ok(not capture_allowed('stripe', 'pi_4'), 'what is to be given back is not taken meanwhile');
select is(t.says(t.void(4)), 'closed refunded', 'released');
select is((select count(*) from tickets where order_id = t.id(4)), 0::bigint, 'nobody needs to look: somebody decided so');
select is((select payload ->> 'wanted' from outbox where template = 'released' and order_id = t.id(4)), 'true', 'and the mail knows');

-- In review: never taken, let go in time.
select t.placed(5) \g /dev/null
select is(t.says(t.held(5, '{"amount": 24901}')), 'review amount', 'one minor unit more is a person''s');
select is(t.holds(5), 'review t held', 'held, no access');
select is(t.rows(5, 'capture'), null, 'and not taken');
select ok(not capture_allowed('stripe', 'pi_5'), 'nor may it be');
select is((select count(*) from anomalies() where code like 'hold%'), 0::bigint, 'there is time');
update payments set hold_until = now() + interval '20 h' where payment_id = 'pi_5';
select is((select code from anomalies() where code like 'hold%'), 'hold_ends', 'now there is not');
select ok(anomaly_mend('hold_ends', t.id(5)), 'so it is let go');
select is(t.rows(5, 'refund'), 'let_go:pi_5 pending', 'by the worker');
select is((select count(*) from anomalies() where code like 'hold%'), 0::bigint, 'once');
select is(t.says(t.void(5)), 'closed refunded', 'gone');
select is(t.holds(5), 'refunded f released released', 'nothing was charged');

-- A second reservation for the same order is not taken, but let go.
select t.placed(6) \g /dev/null
select is(t.says(t.held(6)), 'completed', 'held');
select is(t.says(t.held(6, '{"payment_id": "pi_6b", "event_id": "b"}')), 'updated paid_twice', 'and once more');
select is(concat_ws('; ', t.rows(6, 'capture'), t.rows(6, 'refund')), 'capture:pi_6 pending; let_go:pi_6b pending',
    'one is taken, one let go');
select is(t.says(t.void(6, '{"payment_id": "pi_6b", "event_id": "bv"}')), 'updated released', 'gone');
select is(t.state(6), 'completed', 'and the first one stays');

-- Less was taken than held: the row says what was taken, and a person is told.
select t.placed(7) \g /dev/null
select is(t.says(t.held(7)), 'completed', 'held');
select is(t.says(t.paid(7, '{"amount": 20000}')), 'updated', 'taken in part, by hand');
select is((select concat_ws(' ', p.amount, k.kind) from payments p join tickets k on k.order_id = p.order_id where p.payment_id = 'pi_7'),
    '20000 captured_less', 'known, and ticketed');

-- A capture that was lost is asked for again; one that does not work is told.
select t.placed(8) \g /dev/null
select is(t.says(t.held(8)), 'completed', 'held');
update outbox set created_at = now() - interval '25 h', last_error = 'no clear answer' where kind = 'capture' and order_id = t.id(8);
update payments set created_at = now() - interval '25 h' where payment_id = 'pi_8';
select is((select string_agg(code, ' ') from anomalies() where order_id = t.id(8) and code like 'hold%'), 'hold_late', 'for a day in vain');
select anomaly_mend('hold_late', t.id(8)) \g /dev/null
select is((select kind from tickets where order_id = t.id(8)), 'capture_late', 'a person is told');
delete from outbox where kind = 'capture' and order_id = t.id(8);
select is((select string_agg(code, ' ') from anomalies() where order_id = t.id(8) and code like 'hold%'), 'hold_waits', 'nothing takes it any more');
select anomaly_mend('hold_waits', t.id(8)) \g /dev/null
select matches(t.rows(8, 'capture'), '^capture:pi_8:\d+ pending$', 'so it is asked for again');
select is((select count(*) from anomalies() where order_id = t.id(8) and code like 'hold%'), 0::bigint, 'and all is well');

-- Its own rules hold against anybody.
select throws_ok($$ update payments set state = 'held' where payment_id = 'pi_1' $$, '23001', null, 'what was taken stays taken');
select throws_ok($$ update payments set state = 'held' where payment_id = 'pi_3' $$, '23001', null, 'what was let go is not held again');
-- To be let go, and then it completes the order: it is taken, not let go.
select t.placed(61), t.says(t.held(61, '{"product": "other"}')) \g /dev/null
update payments set hold_until = now() + interval '20 h' where payment_id = 'pi_61';
select anomaly_mend('hold_ends', t.id(61)) \g /dev/null
select is(t.says(t.held(61, '{"event_id": "right"}')), 'completed', 'held, to be let go, and access after all');
select is(refund_ready((select id from outbox where dedupe_key = 'let_go:pi_61')), 'moot', 'nothing is let go');
update outbox set state = 'sent', sent_at = now() where dedupe_key = 'let_go:pi_61';
select ok(capture_allowed('stripe', 'pi_61'), 'it is taken');

-- In review with two payments: what is let go is one of them.
select t.placed(60), t.says(t.held(60, '{"amount": 20000}')),
    t.says(t.paid(60, '{"payment_id": "pi_60b", "event_id": "b60", "amount": 20000}')) \g /dev/null
select is(t.says(t.void(60, '{"amount": 20000}')), 'updated released', 'one payment of two in review is let go');
select is((select concat_ws(' ', state, processing) from orders where id = t.id(60)), 'review f', 'the other still waits for a person, and is taken');
select is((select count(*) from outbox where order_id = t.id(60) and template = 'released'), 0::bigint, 'nobody writes that nothing was charged');
select * from finish();
rollback;
