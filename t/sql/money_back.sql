-- settle: money that goes back. What it bought ends; what never reached us grants nothing.
\ir helper.psql
begin;
select plan(63);

-- In part, then in full.
select t.placed(1, 100) \g /dev/null
select is(t.says(t.paid(1)), 'completed', 'bought, with 100 credits');
select is(t.says(t.refund(1, 4900, 'succeeded', t.ago(9), 're_a')), 'updated', 'a partial refund is noted');
select results_eq($$ select o.state, p.amount_refunded, s.status from orders o join payments p on p.order_id = o.id
                       join subscriptions s on s.order_id = o.id $$,
    $$ values ('completed', 4900::bigint, 'active') $$, 'and takes nothing away');
select is(t.says(t.refund(1, 4900, 'succeeded', t.ago(9), 're_a')), 'already', 'once');
insert into credit_transactions (account_id, amount, reason) select id, -30, 'used' from accounts;
select is(t.says(t.refund(1, 20000, 'succeeded', t.ago(8), 're_b')), 'closed refunded', 'the rest closes the order');
select results_eq($$ select o.state, o.completed_via, p.amount_refunded, s.status, s.ended_at, a.credits
                       from orders o join payments p on p.order_id = o.id
                       join subscriptions s on s.order_id = o.id join accounts a on a.id = s.account_id $$,
    $$ values ('refunded', 'webhook', 24900::bigint, 'refunded', now(), 0::bigint) $$,
    'access ends, and the credits that are left');
select is((select sum(amount) from credit_transactions), 0::numeric, 'the ledger says how');
select is((select action from audit order by id desc limit 1), 'order.refunded', 'history too');
select is(t.says(t.paid(1, '{"event_id": "late"}')), 'already', 'a late word of the payment');
select is(t.state(1), 'refunded', 'brings nothing back');
select is(t.says(t.refund(1, 1, 'succeeded', t.ago(7), 're_c')), 'failed error', 'more than was paid cannot be refunded');

-- By the payment's own totals.
select t.placed(2) \g /dev/null
select is(t.says(t.paid(2)), 'completed', 'bought');
select is(t.says(t.paid(2, '{"event_id": "r2", "amount_refunded": 24900}')), 'closed refunded',
    'the payment says that it was refunded');
select is(t.state(2), 'refunded', 'so it is');
select t.placed(3) \g /dev/null
select is(t.says(t.paid(3, '{"amount_refunded": 24900}')), 'closed refunded', 'refunded before we ever heard of it');
select results_eq($$ select state, completed_at, (select count(*) from subscriptions where order_id = t.id(3)),
                            (select count(*) from outbox where order_id = t.id(3)) from orders where id = t.id(3) $$,
    $$ values ('refunded', null::timestamptz, 0::bigint, 0::bigint) $$, 'grants nothing, welcomes nobody');
select t.placed(4) \g /dev/null
select is(t.says(t.paid(4, '{"amount": 100}')), 'review amount', 'in review');
select is(t.says(t.refund(4, 100, 'succeeded')), 'closed refunded', 'given back');
select is(t.state(4), 'refunded', 'is settled');

-- A refund's states.
select t.placed(5) \g /dev/null
select is(t.says(t.paid(5)), 'completed', 'bought');
select is(t.says(t.refund(5, 9900, 'pending', t.ago(9))), 'updated', 'pending');
select is((select amount_refunded from payments where payment_id = 'pi_5'), 9900::bigint, 'counts');
select is(t.says(t.refund(5, 9900, 'succeeded', t.ago(8))), 'updated', 'succeeded');
select is(t.says(t.refund(5, 9900, 'pending', t.ago(9)) || '{"event_id": "stale"}'), 'already', 'an older word changes nothing');
select is((select status from refunds where refund_id = 're_5'), 'succeeded', 'it has succeeded');
select is(t.says(t.refund(5, 9900, 'failed', t.ago(7))), 'updated', 'failed after all');
select is((select amount_refunded from payments where payment_id = 'pi_5'), 0::bigint, 'counts no more');
select t.placed(6) \g /dev/null
select is(t.says(t.paid(6)), 'completed', 'bought');
select is(t.says(t.refund(6, 24900, 'succeeded', t.ago(9))), 'closed refunded', 'refunded in full');
select is(t.says(t.refund(6, 24900, 'failed', t.ago(8))), 'updated', 'the refund fails');
select is((select kind from tickets where dedupe_key = 'refund_failed:re_6'), 'refund_failed',
    'the customer has neither money nor access: a person is told');

-- Disputes.
select t.placed(7) \g /dev/null
select is(t.says(t.paid(7)), 'completed', 'bought');
select is(t.says(t.dispute(7, 'open', t.ago(9))), 'updated', 'disputed');
select results_eq($$ select p.disputed, s.status, d.due_by, k.kind, k.due_at
                       from payments p join subscriptions s on s.order_id = p.order_id
                       join disputes d on d.payment_id = p.payment_id
                       join tickets k on k.dedupe_key = 'dispute:dp_7' where p.payment_id = 'pi_7' $$,
    $$ values (true, 'active', to_timestamp(t.ago(-3600)), 'dispute', to_timestamp(t.ago(-3600))) $$,
    'a person has until the deadline; access stays');
select is(t.says(t.dispute(7, 'lost', t.ago(5))), 'updated', 'lost');
select is((select status from subscriptions where order_id = t.id(7)), 'suspended', 'access ends');
select is(t.says(t.dispute(7, 'won', t.ago(4))), 'updated', 'won after all');
select is((select status from subscriptions where order_id = t.id(7)), 'active', 'access is back');
select is(t.says(t.dispute(7, 'under_review', t.ago(8))), 'already', 'an older word changes nothing');
select is((select count(*) from tickets where kind = 'dispute'), 1::bigint, 'one ticket');
select results_eq($$ select action from audit where order_id = t.id(7) order by id $$,
    $$ values ('order.completed'), ('dispute.lost'), ('dispute.won') $$, 'history has what changed access');

-- What banks trace it by comes with the success, or alone and later.
select t.placed(31), t.says(t.paid(31)), t.says(t.refund(31, 900, 'pending', null, 're_31')),
       t.says(t.refund(31, 900, 'succeeded', null, 're_31') || '{"bank_reference": "7462"}') \g /dev/null
select is((select payload #>> '{refund,arn}' from outbox where dedupe_key = 'refund_mail:stripe:re_31'), '7462', 'the letter has the bank''s number');
select is(t.says(t.refund(31, 900, 'succeeded', null, 're_31') || '{"bank_reference": "7463", "event_id": "evt_31_trace"}'), 'already', 'a later one says nothing new');
select is((select bank_reference from refunds where refund_id = 're_31'), '7463', 'and is kept');

-- A provider without a list of refunds is asked about each payment. Who dies between what it
-- said and the note of it has not told the customer: it is asked again.
select t.placed(32), t.says(t.paid(32)) \g /dev/null
update payments set created_at = created_at - interval '2 days' where payment_id = 'pi_32';
select is((select p from payments_due('stripe', 100) p where p = 'pi_32'), 'pi_32', 'a payment is asked about after a day');
select is((select p from payments_due('stripe', 100) p where p = 'pi_32'), null, 'by one worker');
select t.says(t.paid(32, '{"amount_refunded": 24900, "event_id": "evt_32_asked"}')) \g /dev/null
select is(t.state(32), 'refunded', 'all of it went back');
update payments set asked_at = asked_at - interval '2 minutes' where payment_id = 'pi_32';
select is((select p from payments_due('stripe', 100) p where p = 'pi_32'), 'pi_32', 'nobody noted the answer: asked again');
select payment_asked('stripe', 'pi_32'), payment_asked('stripe', 'pi_32') \g /dev/null
select is((select count(*) from outbox where dedupe_key = 'refund_mail:stripe:total:pi_32:24900'), 1::bigint, 'and the customer is told, once');

-- Paid twice: the mail names both, the earlier one first.
select t.placed(8) \g /dev/null
select is(t.says(t.paid(8, jsonb_build_object('paid_at', t.ago(60)))), 'completed', 'bought');
select is(t.says(t.paid(8, jsonb_build_object('payment_id', 'pi_8b', 'event_id', 'e8b', 'paid_at', t.ago(3600)))),
    'updated paid_twice', 'and paid by another payment an hour before');
select t.settle(t.refund(8, 24900, 'succeeded', null, 're_8b') || '{"payment_id": "pi_8b"}') \g /dev/null
select results_eq($$ select template, payload #>> '{first_at,iso}', payload #>> '{second_at,iso}' from outbox
                      where dedupe_key = 'refund_mail:stripe:re_8b' $$,
    $$ select 'duplicate', moment(to_timestamp(t.ago(3600))) ->> 'iso', moment(to_timestamp(t.ago(60))) ->> 'iso' $$,
    'you paid twice, then and then');

-- An inquiry that was answered, and a dispute all the same: another answer, another deadline.
create function t.answer(in_n int) returns text language sql
as $$
    select desk_dispute(jsonb_build_object('reference', (select reference from orders where id = t.id(in_n)),
        'actor', 'ana', 'reason', 'why', 'what', 'evidence', 'text', 'Here.')
        || jsonb_build_object('seen', desk_seen(t.id(in_n))::text)) ->> 'verdict'
$$;
select t.placed(9), t.says(t.paid(9)) \g /dev/null
select t.says(t.dispute(9, 'warning', t.ago(9)) || jsonb_build_object('due_by', t.ago(-3600))) \g /dev/null
select is(t.answer(9), 'answering', 'an inquiry is answered');
select is(t.answer(9), 'answered', 'once');
update outbox set state = 'sent', sent_at = now() where order_id = t.id(9) and kind = 'dispute';
select is(t.says(t.dispute(9, 'under_review', t.ago(8))), 'updated', 'the bank has it');
select is(t.says(t.dispute(9, 'open', t.ago(5)) || jsonb_build_object('due_by', t.ago(-864000))), 'updated', 'it becomes a dispute');
select results_eq($$ select subject, state, due_at from tickets where dedupe_key = 'dispute:dp_9' $$,
    $$ values ('A customer disputes a payment', 'open', to_timestamp(t.ago(-864000))) $$, 'its ticket says so, with its own deadline');
select is((select count(*) from ticket_messages m join tickets k on k.id = m.ticket_id
            where k.dedupe_key = 'dispute:dp_9' and m.body like 'Dispute dp_9 %Do not refund it%'), 1::bigint, 'and what to do now');
select is(t.answer(9), 'answering', 'it is answered as well');
select is(t.answer(9), 'answered', 'once');
select is((select count(*) from outbox where order_id = t.id(9) and kind = 'dispute'), 2::bigint, 'two answers in all');


-- The evidence: what was before the purchase is no use of it.
create function t.logged_in(in_n int) returns text language sql as $$
    select string_agg(l, '; ') from orders o join payments p on p.order_id = o.id join subscriptions s on s.order_id = o.id,
           regexp_split_to_table(evidence_log(o, p, s), E'\n') l where o.id = t.id(in_n) and l like '%logged in%' $$;
select t.placed(60), t.says(t.paid(60)), t.placed(61), t.says(t.paid(61)) \g /dev/null
update accounts set created_at = now() - interval '1 year' where email = 'c60@example.com';
update accounts set created_at = now() + interval '1 min' where email = 'c61@example.com';
insert into account_days (account_id, day, logins)
select a.id, (now() at time zone 'UTC')::date + n, n + 3 from accounts a, generate_series(-1, 1) n where a.email in ('c60@example.com', 'c61@example.com');
select is(t.logged_in(60), to_char(now() at time zone 'UTC' + interval '1 day', 'YYYY-MM-DD: ') || 'Customer logged in 4 times this day',
    'who had an account before: only the days after that of the payment');
select is(t.logged_in(61), to_char(now() at time zone 'UTC', 'YYYY-MM-DD: ') || 'Customer logged in 3 times this day; '
    || to_char(now() at time zone 'UTC' + interval '1 day', 'YYYY-MM-DD: ') || 'Customer logged in 4 times this day',
    'who had none: that day as well, and no clock that nobody read');
select * from finish();
rollback;
