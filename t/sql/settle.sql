-- settle: each transition of an order, and what completing it leaves behind.
\ir helper.psql
begin;
select plan(59);

-- The happy path, in full.
select t.placed(1) \g /dev/null
select is(t.state(1), 'pending', 'an order begins as pending');
select results_eq(
    $$ select verdict, reason, order_id, state, completed_via, mail, delay_s
         from t.settle(t.paid(1)) $$,
    $$ values ('completed', null::text, t.id(1), 'completed', 'webhook', 'confirmation', 1) $$,
    'a payment completes its order');
select results_eq(
    $$ select state, completed_via, completed_by, completed_at, payment_id, checkout_id,
              next_ask_at, access_delay < '3 s', processing, failure
         from orders where id = t.id(1) $$,
    $$ values ('completed', 'webhook', 'tester', now(), 'pi_1', 'cs_1',
               null::timestamptz, true, false, null::text) $$,
    'the order says when, how, by whom and for which payment');
select results_eq(
    $$ select a.email, s.product, s.starts_at, s.status,
              s.expires_at at time zone 'UTC' = now() at time zone 'UTC' + interval '1 year'
         from subscriptions s join accounts a on a.id = s.account_id
        where s.order_id = t.id(1) $$,
    $$ values ('c1@example.com', 'annual', now(), 'active', true) $$,
    'access begins now, for a year, for the address of the order and not the wallet''s');
select results_eq(
    $$ select kind, template, dedupe_key, recipient, state, payload
         from outbox where order_id = t.id(1) $$,
    $$ values ('mail', 'confirmation', 'welcome:' || t.id(1), 'c1@example.com', 'pending',
               '{"delay_s": 1, "bonus_days": 0}'::jsonb) $$,
    'one welcome waits in the outbox');
select results_eq(
    $$ select actor, action, reason, before, after from audit where order_id = t.id(1) $$,
    $$ values ('tester', 'order.completed', 'webhook', '{"state": "pending"}'::jsonb,
               '{"state": "completed", "payment": "pi_1"}'::jsonb) $$,
    'history has one line');
select results_eq(
    $$ select state, kind, order_id, attempts, fact ->> 'payment_id'
         from provider_events where event_id = 'evt_1_payment.succeeded' $$,
    $$ values ('processed', 'payment.succeeded', t.id(1), 0, 'pi_1') $$,
    'the event is kept as processed, with the fact');
select results_eq(
    $$ select order_id, amount, currency, amount_refunded, disputed, charge_id
         from payments where payment_id = 'pi_1' $$,
    $$ values (t.id(1), 24900::bigint, 'USD', 0::bigint, false, 'ch_1') $$,
    'the payment is written down');

-- Again, by every road.
select t.world() as before \gset
select is(t.says(t.paid(1)), 'already', 'the same event again changes nothing');
select is(t.says(t.paid(1) - 'event_id', via), 'already', via || ' after it changes nothing')
  from unnest('{return,webhook,replay,reconcile,self_service,support}'::text[]) via;
select is(t.says(t.paid(1, '{"event_id": "evt_other"}')), 'already',
    'another event of the same payment changes nothing');
select is(t.world(), :'before'::jsonb, 'and nothing has changed');
select is(t.says(t.paid(1, '{"event_id": "evt_more", "card_last4": "4242"}')), 'updated',
    'an event that knows more about the payment adds it');
select is((select card_last4 from payments where payment_id = 'pi_1'), '4242', 'namely the card');
select is(t.says(t.paid(1, '{"event_id": "evt_less"}')), 'already', 'one that knows less');
select is((select card_last4 from payments where payment_id = 'pi_1'), '4242', 'takes nothing away');

-- pending -> noted
select t.placed(2) \g /dev/null
select is(t.says(t.fact(2, 'checkout.open', '{"checkout_url": "https://pay/2"}')), 'updated',
    'the page that we did not get to store is stored');
select results_eq($$ select checkout_id, checkout_url, state from orders where id = t.id(2) $$,
    $$ values ('cs_2', 'https://pay/2', 'pending') $$, 'by our own id in the metadata');
select is(t.says(t.fact(2, 'checkout.open', '{"checkout_url": "https://pay/2", "event_id": null}')),
    'already', 'told again, nothing');
select is(t.says(t.fact(2, 'payment.failed', '{"failure": "card_declined"}')), 'updated',
    'a declined card is noted');
select results_eq($$ select state, failure from orders where id = t.id(2) $$,
    $$ values ('pending', 'card_declined') $$, 'and closes nothing: the page goes on');
select is(t.says(t.fact(2, 'payment.processing')), 'updated', 'a bank debit is on its way');
select results_eq($$ select state, processing from orders where id = t.id(2) $$,
    $$ values ('pending', true) $$, 'no access yet');
select is(t.says(t.fact(2, 'checkout.expired')), 'updated', 'the page may expire meanwhile');
select is(t.state(2), 'pending', 'that closes nothing while money is on its way');
select is(t.says(t.paid(2)), 'completed', 'the money arrives');
select results_eq($$ select state, processing, failure, checkout_url from orders where id = t.id(2) $$,
    $$ values ('completed', false, null::text, null::text) $$, 'access, and the slate is clean');

-- pending -> closed, and money wins
select t.placed(n) from generate_series(3, 6) n \g /dev/null
select is(t.says(t.fact(3, 'payment.void')), 'closed', 'a debit that bounced closes the order');
select is(t.state(3), 'failed', 'as failed');
select is(t.says(t.paid(3)), 'completed', 'money on a failed order completes it');
select is(t.says(t.fact(4, 'checkout.expired')), 'closed', 'an expired page closes the order');
select is(t.state(4), 'expired', 'as expired');
select is(t.says(t.paid(4)), 'completed', 'money on an expired order completes it');
select is(order_cancel(t.id(5), 'customer'), 'noted', 'a customer who leaves is noted');
select is(t.state(5), 'pending', 'which closes nothing by itself');
select is(t.says(t.fact(5, 'checkout.open')), 'closed', 'once the provider says unpaid, it does');
select is(t.state(5), 'cancelled', 'as cancelled');
select is(t.says(t.paid(5)), 'completed', 'money on a cancelled order completes it');
select is(t.says(t.fact(6, 'checkout.none')), 'closed', 'an order that the provider never saw is closed');
select is(t.says(t.fact(6, 'payment.processing')), 'updated', 'a debit on an expired order');
select is(t.state(6), 'pending', 'opens it again');

-- completed is never anything lower
select is(t.says(t.fact(1, kind, '{"event_id": null}')), 'already', kind || ' after completion changes nothing')
  from unnest('{payment.failed,payment.void,payment.processing,checkout.open,checkout.expired,checkout.none}'::text[]) kind;
select is(t.state(1), 'completed', 'it is still completed');

-- another page of the same order
select t.placed(7) \g /dev/null
select checkout_store(t.id(7), 'cs_7', 'https://pay/7', now() + interval '1 day') \g /dev/null
select is(t.says(t.fact(7, 'checkout.expired', '{"checkout_id": "cs_7b"}')), 'already',
    'the end of a second page, made when a reply was lost, closes nothing');
select is(t.says(t.paid(7, '{"checkout_id": "cs_7b"}')), 'completed',
    'and money through it completes the order');
select is((select checkout_id from orders where id = t.id(7)), 'cs_7', 'whose page stays the first');

-- found without our id
select t.placed(8) \g /dev/null
select checkout_store(t.id(8), 'cs_8', 'https://pay/8', now() + interval '1 day') \g /dev/null
select is(t.says(t.paid(8) - 'order_id'), 'completed', 'found by the payment page when the metadata is gone');
select is(t.says(t.paid(8, '{"event_id": "evt_8b"}') - 'order_id' - 'checkout_id'), 'already',
    'found by the payment');

-- wrong kinds and calls
select is(t.says(t.fact(8, 'lunch')), 'failed error', 'an unknown kind of fact is kept as failed');

select * from finish();
rollback;
