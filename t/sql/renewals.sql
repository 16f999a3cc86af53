-- renewals: a plan that the provider charges again. Each paid period counts once.
\ir helper.psql
\ir renewals.psql

begin;
select plan(83);

-- One period, then another ---------------------------------------------------------------
select t.renewing(1) \g /dev/null
select is(t.says(t.period(1, 0, 'session')), 'completed', 'the first period completes its order');
select results_eq(
    $$ select o.payment_id, p.invoice_id, p.state, r.renewal_id, r.state
         from orders o join periods p on p.order_id = o.id join renewals r on r.order_id = o.id
        where o.id = t.id(1) $$,
    $$ values ('pi_1_0', 'in_1_0', 'paid', 'sub_1', 'active') $$, 'with its period and renewal');
select results_eq(
    $$ select starts_at, period_after(starts_at, '1 month') = expires_at, renews,
              grace_until - expires_at
         from subscriptions where order_id = t.id(1) $$,
    $$ values (now(), true, true, interval '7 days') $$,
    'access for a month, and the grace of a week behind it');
select is(t.says(t.period(1, 0, 'invoice')), 'already', 'the invoice says the same again');
select is(t.says(t.charge(1, 0)), 'already', 'and the charge, found by its payment');

select t.until(1) as before \gset
select is(t.says(t.period(1, 1)), 'updated extended', 'the next period extends');
select is(t.until(1), period_after(:'before'::timestamptz, '1 month'), 'by exactly one month');
select is(t.says(t.period(1, 1) - 'event_id', 'reconcile'), 'already', 'once: the sweep finds it done');
select is(t.says(t.period(1, 1, 'again')), 'already', 'and another event of the same invoice');
select is(t.until(1), period_after(:'before'::timestamptz, '1 month'), 'so it stays');
select is((select count(*)::int from orders where email = 'c1@example.com'), 1, 'no second order');
select results_eq($$ select dedupe_key from outbox where order_id = t.id(1) and kind = 'mail' order by 1 $$,
    $$ values ('renewed:in_1_1'), ('welcome:' || t.id(1)) $$, 'a welcome and one line of receipt');

-- By the calendar: bought on 31 January, it ends where the provider's months end.
select is(period_after('2026-01-31 12:00Z', '2 months'), '2026-03-31 12:00Z'::timestamptz, 'a month is no number of days');

-- Declined ----------------------------------------------------------------------------------
select is(t.says(t.declined(1, 2, 1)), 'updated declined', 'a period is declined');
select results_eq(
    $$ select template, dedupe_key, payload ? 'stays_until', payload ? 'next_try_at'
         from outbox where dedupe_key like 'renewal%' $$,
    $$ values ('renewal_declined', 'renewal_declined:in_1_2', true, true) $$, 'the customer is told');
select is(t.says(t.declined(1, 2, 2)), 'updated declined', 'declined again');
select is((select count(*)::int from outbox where template = 'renewal_declined'), 1, 'without another mail');
select is(t.says(t.declined(1, 2, 1) - 'event_id'), 'already', 'an old failure told late changes nothing');
select is((select tries from periods where invoice_id = 'in_1_2'), 2, 'nor counts back');
select is(t.says(t.declined(1, 2, 4, null) - 'next_try'), 'updated declined', 'the last try');
select is((select count(*)::int from outbox where template = 'renewal_declined'), 2, 'is told as well');
select is((select grace_until - expires_at from subscriptions where order_id = t.id(1)), interval '7 days',
    'the grace is no longer for it');
select is(t.says(t.renewal(1, 'ended', t.ago(0))), 'updated', 'the provider gives up');
select is((select grace_until - expires_at from subscriptions where order_id = t.id(1)), interval '7 days',
    'what was promised in the mail stays');
select is(t.says(t.period(1, 2)), 'updated extended', 'paid late after all');
select is(t.until(1), period_after(:'before'::timestamptz, '2 months'), 'it goes on from where it ended');
select is((select grace_until from subscriptions where order_id = t.id(1)), null,
    'and then ends with the paid time: nobody charges again');
select is(t.says(t.declined(1, 2, 5)), 'already', 'a failure of what is paid says nothing');

-- "You have not been charged" must not leave once it was paid.
select is((select count(*)::int from outbox_claim(gen_random_uuid(), 100, 60) where template = 'renewal_declined'), 0,
    'no worker takes it up');
select results_eq($$ select dedupe_key, state, sent_at, last_error from outbox where dedupe_key like 'renewal%:in_1_2' order by 1 $$,
    $$ values ('renewal_declined:in_1_2', 'sent', now(), 'not sent: it was paid'),
              ('renewal_last:in_1_2', 'sent', now(), 'not sent: it was paid') $$, 'it is withdrawn');
select is((select string_agg(e ->> 'who' || ': ' || (e ->> 'detail'), '; ') from jsonb_array_elements(desk_timeline((select o from orders o where id = t.id(1)))) e
            where e ->> 'what' = 'Mail "renewal_declined" withdrawn'), 'system: not sent: it was paid; system: not sent: it was paid',
    'history says so');
select unalike(evidence_log(o, p, s), '%renewal declined%', 'and no bank is told that it was sent')
  from orders o join payments p on p.payment_id = 'pi_1_2' join subscriptions s on s.order_id = o.id where o.id = t.id(1);
select t.says(t.declined(1, 3, 1)) \g /dev/null
select count(*) from outbox_claim(gen_random_uuid(), 100, 60) \g /dev/null
select t.says(t.declined(1, 4, 1)), t.says(t.period(1, 3)) \g /dev/null
select results_eq($$ select dedupe_key, state from outbox where dedupe_key in ('renewal_declined:in_1_3', 'renewal_declined:in_1_4') order by 1 $$,
    $$ values ('renewal_declined:in_1_3', 'sending'), ('renewal_declined:in_1_4', 'pending') $$,
    'one that a worker has is the worker''s, one of another period is still true');
select outbox_retry(id, lease, 'no answer') from outbox where dedupe_key = 'renewal_declined:in_1_3' \g /dev/null
update outbox set next_try_at = now() where dedupe_key = 'renewal_declined:in_1_3';
select count(*) from outbox_claim(gen_random_uuid(), 100, 60) \g /dev/null
select results_eq($$ select dedupe_key, state, last_error from outbox where dedupe_key in ('renewal_declined:in_1_3', 'renewal_declined:in_1_4') order by 1 $$,
    $$ values ('renewal_declined:in_1_3', 'sent', 'not sent: it was paid'), ('renewal_declined:in_1_4', 'sending', null) $$,
    'and what did not get through there is not tried again');
select is((select state from periods where invoice_id = 'in_1_4'), 'failed', 'since that one is not paid');

-- A period that was given up, and a later one that was paid: nothing is promised for it.
select t.renewing(6) \g /dev/null
select t.says(t.period(6, 0)), t.says(t.declined(6, 1, 1)), t.says(t.period(6, 2)),
       t.says(t.renewal(6, 'stopping')) \g /dev/null
select is(t.until(6), period_after((select starts_at from subscriptions where order_id = t.id(6)), '3 months'),
    'what was paid for last counts, as the provider has it');
select is((select grace_until from subscriptions where order_id = t.id(6)), null, 'and no grace behind it');

-- A gate sees the grace, the application too.
update subscriptions set expires_at = starts_at + interval '1 us', grace_until = now() + interval '1 h'
 where order_id = t.id(1);
select is((select active from entitlement_rows((select account_id from subscriptions where order_id = t.id(1)))),
    true, 'in grace: active');
update subscriptions set grace_until = null where order_id = t.id(1);

-- Stopped ---------------------------------------------------------------------------------------
select t.renewing(2) \g /dev/null
select t.says(t.period(2, 0)) \g /dev/null
select id as account from accounts where email = 'c2@example.com' \gset
select reference as ref from orders where id = t.id(2) \gset
select is((select verdict from renewal_want(gen_random_uuid(), :'ref', 'stop', 'customer')), 'none', 'not by a stranger');
select is((select verdict from renewal_want(:'account', :'ref', 'stop', 'customer')), 'wanted', 'a stop is written down');
select is((select renews from subscriptions where order_id = t.id(2)), true, 'and nothing claimed before it is done');
select is(t.says(t.renewal(2, 'stopping', t.ago(0))), 'updated', 'the provider confirms');
select results_eq($$ select state, wanted from renewals where renewal_id = 'sub_2' $$,
    $$ values ('stopping', null::text) $$, 'so it is done');
select results_eq($$ select renews, grace_until from subscriptions where order_id = t.id(2) $$,
    $$ values (false, null::timestamptz) $$, 'access ends with the paid time');
select is((select count(*)::int from outbox where template = 'renewal_stopped'), 1, 'and the customer has it in writing');
select is((select verdict from renewal_want(:'account', :'ref', 'stop', 'customer')), 'already', 'once more: it is so already');
select is(t.says(t.renewal(2, 'active', t.ago(9))), 'already', 'an older word does not bring it back');
select is((select verdict from renewal_want(:'account', :'ref', 'resume', 'customer')), 'wanted', 'taken up again');
select is(t.says(t.renewal(2, 'active') - 'event_id'), 'updated', 'what we asked for ourselves is how it stands');
select is(t.says(t.renewal(2, 'ended', t.ago(0))), 'updated', 'ended');
select is(t.says(t.renewal(2, 'active') - 'event_id'), 'already', 'an ended one never comes back');

-- Money back ------------------------------------------------------------------------------------
select t.renewing(3, 10) \g /dev/null
select t.says(t.period(3, 0, 'invoice', '{"credits": 10}')), t.says(t.period(3, 1, 'invoice', '{"credits": 10}')) \g /dev/null
select is((select credits from accounts where email = 'c3@example.com'), 20::bigint, 'each period brings its credits');
select t.until(3) as before3 \gset
select t.says(t.refund(3, 900, 'succeeded', null, 're_3') || '{"payment_id": "pi_3_1"}') \g /dev/null
select is(period_after(t.until(3), '1 month'), :'before3'::timestamptz, 'a period that was given back takes its time along');
select is(t.state(3), 'completed', 'and nothing else');
select t.says(t.refund(3, 900, 'succeeded', null, 're_3b') || '{"payment_id": "pi_3_0"}') \g /dev/null
select is(t.state(3), 'refunded', 'the purchase itself given back ends all');
select is((select wanted from renewals where renewal_id = 'sub_3'), 'stop', 'and nobody is charged again');
select is(t.says(t.period(3, 2)), 'updated refunded', 'charged all the same: no access');
select is((select count(*)::int from tickets where kind = 'renewed_after_refund'), 1, 'but a person');

-- And where the bank takes it back.
select t.renewing(9) \g /dev/null
select t.says(t.period(9, 0)), t.says(t.period(9, 1)) \g /dev/null
select t.until(9) as before9 \gset
select t.says(t.dispute(9, 'lost', t.ago(9)) || '{"payment_id": "pi_9_1"}') \g /dev/null
select is(period_after(t.until(9), '1 month'), :'before9'::timestamptz, 'a period that was lost in a dispute takes its time along');
select is((select wanted from renewals where renewal_id = 'sub_9'), 'stop', 'and nobody is charged again');
select t.says(t.dispute(9, 'won', t.ago(5)) || '{"payment_id": "pi_9_1"}') \g /dev/null
select is(t.until(9), :'before9'::timestamptz, 'won after all, it comes back');

-- Unknown, adopted, twice ---------------------------------------------------------------------------
select t.renewing(4) \g /dev/null
select is(t.says(t.period(4, 0) - 'payment_id' - 'charge_id'), 'ignored payment_unknown', 'a period without its payment waits');
select is((select next_ask_at <= now() from orders where id = t.id(4)), true, 'and the worker asks at once');
select is(t.says(t.period(4, 0, 'asked') - 'event_id', 'reconcile'), 'completed', 'which completes it');
select is((select s.verdict from event_retry('stripe', 'evt_4_invoice_0') s), 'already', 'so the first word is settled too');
select is(t.says(t.period(5, 0, 'invoice', '{"order_email": "c5@example.com"}')), 'completed', 'an order that is gone is rebuilt from its invoice');
select is((select renews from orders where id = t.id(5)), true, 'as one that renews');
select is(t.says(t.period(4, 0, 'twin', '{"renewal_id": "sub_4b", "invoice_id": "in_4b", "payment_id": "pi_4b", "charge_id": "ch_4b"}')),
    'updated paid_twice', 'a second renewal of one order is paid twice');
select results_eq($$ select extra, wanted from renewals where renewal_id = 'sub_4b' $$, $$ values (true, 'stop') $$,
    'and shall not charge again');

-- A second plan that renews beside a first, long after it.
select t.renewing(7), t.renewing(8) \g /dev/null
select t.says(t.period(7, 0)) \g /dev/null
set local session_replication_role = replica;
update orders set completed_at = now() - interval '20 days' where id = t.id(7);
update orders set email = 'c7@example.com' where id = t.id(8);
set local session_replication_role = origin;
select is(t.says(t.period(8, 0)), 'completed', 'granted all the same');
select is((select count(*)::int from tickets where kind = 'duplicate' and order_id = t.id(8)), 1,
    'and a person asks whether two charges a month are meant');

-- Credits of a further period follow its money -------------------------------------------------------
create function t.ledger(in_n int) returns text language sql
as $$ select string_agg(reason || ' ' || amount, ', ' order by id) from credit_transactions where order_id = t.id(in_n) $$;
create function t.spend(in_n int, in_amount int) returns text language sql
as $$ select verdict from credit_deduct('c' || in_n || '@example.com', in_amount, 'used', md5(random()::text), 'app') $$;
create function t.of(in_fact jsonb, in_payment text) returns jsonb language sql
as $$ select in_fact || jsonb_build_object('payment_id', in_payment) $$;
create function t.credits(in_n int) returns bigint language sql
as $$ select credits from accounts where email = 'c' || in_n || '@example.com' $$;
select t.renewing(n, 10) from generate_series(11, 14) n \g /dev/null
select t.says(t.period(n, k)) from generate_series(11, 14) n, generate_series(0, 1) k order by n, k \g /dev/null
select t.says(t.of(t.refund(11, 400, 'succeeded', null, 're_11a'), 'pi_11_1')) \g /dev/null
select is(t.ledger(11), 'purchase 10, renewal:in_11_1 10', 'a part that goes back takes no credits');
select t.says(t.of(t.refund(11, 500, 'succeeded', null, 're_11b'), 'pi_11_1')) from generate_series(1, 2) \g /dev/null
select is(t.ledger(11), 'purchase 10, renewal:in_11_1 10, renewal_refund:in_11_1 -10', 'all of it: those of the period, once');
select t.says(t.of(t.refund(11, 500, 'failed', null, 're_11b'), 'pi_11_1')) from generate_series(1, 2) \g /dev/null
select t.says(t.of(t.refund(11, 500, 'succeeded', null, 're_11c'), 'pi_11_1')) \g /dev/null
select is(t.ledger(11), 'purchase 10, renewal:in_11_1 10, renewal_refund:in_11_1 -10, renewal_restored:in_11_1 10, renewal_refund:in_11_1:2 -10',
    'not after all, then once more: a row each time');
select is(t.credits(11), 10::bigint, 'what the purchase brought stays');

select t.spend(12, 17) \g /dev/null
select t.says(t.of(t.dispute(12, 'lost'), 'pi_12_1')) \g /dev/null
select is((t.ledger(12), t.credits(12)), ('purchase 10, renewal:in_12_1 10, renewal_refund:in_12_1 -3'::text, 0::bigint), 'lost in a dispute: what is still there, never below zero');
select t.says(t.period(12, 2)) \g /dev/null
select t.says(t.of(t.dispute(12, 'lost', t.ago(-5)), 'pi_12_1') || '{"event_id": "e12"}') \g /dev/null
select is(t.credits(12), 10::bigint, 'what came later is not taken for what was spent');
select t.says(t.of(t.dispute(12, 'won', t.ago(-9)), 'pi_12_1')) \g /dev/null
select is(t.credits(12), 13::bigint, 'won after all: what was taken comes back');

select t.spend(13, 20) \g /dev/null
select t.says(t.of(t.refund(13, 900, 'succeeded', null, 're_13'), 'pi_13_1')) \g /dev/null
select t.says(t.period(13, 2)) \g /dev/null
select is((t.ledger(13), t.credits(13)), ('purchase 10, renewal:in_13_1 10, renewal:in_13_2 10'::text, 10::bigint), 'all spent: nothing is taken, then or later');
select t.says(t.of(t.refund(13, 900, 'failed', null, 're_13'), 'pi_13_1')) \g /dev/null
select is(t.credits(13), 10::bigint, 'and nothing comes back');

select t.says(t.of(t.refund(14, 900, 'succeeded', null, 're_14'), 'pi_14_0')) \g /dev/null
select is(t.credits(14), 10::bigint, 'the purchase goes back: its own credits');
select t.says(t.of(t.refund(14, 900, 'failed', null, 're_14'), 'pi_14_0')) \g /dev/null
select is(t.credits(14), 20::bigint, 'not after all: they come back beside those of a renewal');
select is((select count(*) from periods where credits_taken is not null and order_id in (t.id(11), t.id(12), t.id(13), t.id(14))), 1::bigint, 'one of these periods is without its credits');
select * from finish();
rollback;
