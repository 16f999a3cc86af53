-- settle: the order row is gone (a database restored from before the purchase). The
-- payment brings it back, under its own id and name, once.
\ir helper.psql
begin;
select plan(34);

-- What the customer has in hand: id, reference and token of an order that we lost.
select t.placed(1) \g /dev/null
select reference, encode(token_hash, 'hex') as token from orders where id = t.id(1) \gset
delete from orders;

select t.paid(1, jsonb_build_object('reference', :'reference', 'token_hash', :'token',
    'credits', 5, 'paid_at', t.ago(7200), 'name', E'An\u0007a')) as fact \gset
select results_eq($$ select verdict, order_id, state, mail from t.settle($$ || quote_literal(:'fact') || $$, 'reconcile') $$,
    $$ values ('completed', t.id(1), 'completed', 'recovered') $$, 'a payment without its order is adopted and completed');
select results_eq(
    $$ select id, reference, encode(token_hash, 'hex'), provider, mode, email, name, product, title,
              amount, currency, period, period_text, credits, site, checkout_id, payment_id, completed_via
         from orders $$,
    format($$ values (%L::uuid, %L, %L, 'stripe', 'test', 'wallet1@example.com', 'Ana', 'annual', 'Annual plan',
              24900::bigint, 'USD', interval '1 year', '1y', 5::bigint, 'https://shop.example', 'cs_1', 'pi_1', 'reconcile') $$,
           t.id(1), :'reference', :'token'),
    'with all that the metadata kept of it');
select is((select status from subscriptions where order_id = t.id(1)), 'active', 'access is given');
select is((select credits from accounts where email = 'wallet1@example.com'), 5::bigint, 'credits too');
select is((select template from outbox where dedupe_key = 'welcome:' || t.id(1)), 'recovered', 'with an apology');
select is((select bonus_days from orders), 7, 'and a week, because it came late');
select results_eq(
    $$ select kind, order_id, state, owner, due_at > now() from tickets $$,
    $$ values ('adopted', t.id(1), 'open', 'support', true) $$, 'support is told');
select is((select count(*) from alerts where key = 'ticket:adopted' and level = 'today'), 1::bigint, 'with the next digest');
select results_eq($$ select action from audit where order_id is not null order by id $$,
    $$ values ('order.adopted'), ('order.completed') $$, 'history says so');

select t.world() as before \gset
select is(t.says(:'fact'), 'already', 'adopted twice: the same event');
select is(t.says(:'fact'::jsonb || '{"event_id": "other"}'), 'already', 'adopted twice: another event');
select is(t.says(:'fact'::jsonb - 'event_id', 'support'), 'already', 'adopted twice: asked by support');
select is(t.world(), :'before'::jsonb, 'one order');
select is((select count(*) from tickets), 1::bigint, 'one ticket');

-- The event survived, the order did not.

set session_replication_role = replica;
delete from subscriptions; delete from credit_transactions; update accounts set credits = 0;
delete from payments; delete from orders;
delete from outbox;
set session_replication_role = origin;
select is(t.says(:'fact'), 'completed', 'an event that was processed once is no reason to refuse');
select is(t.world(), :'before'::jsonb, 'everything is as it was');

-- A name that is damaged or taken.
select is(t.says(t.paid(2, '{"reference": "SP-0000-0001"}')), 'completed', 'a reference with a wrong check symbol');
select matches((select reference from orders where id = t.id(2)), '^SP-....-....$', 'is replaced');
select is(t.says(t.paid(3, '{"reference": "lunch"}')), 'completed', 'no reference at all');
select is(t.says(t.paid(4, jsonb_build_object('reference', :'reference', 'token_hash', :'token'))), 'completed',
    'a reference and a token that another order has');
select isnt((select reference from orders where id = t.id(4)), :'reference', 'the reference is replaced');
select is((select token_hash from orders where id = t.id(4)), null, 'the token left out');

-- No address, or none that works.
select is(t.says(t.paid(5, '{"email": null}')), 'review email', 'a payment without an address waits for a person');
select is((select state from orders where id = t.id(5)), 'review', 'in review');
select is((select kind from tickets where dedupe_key = 'review:' || t.id(5)), 'payment_without_email', 'with its ticket');
select is(t.says(t.paid(6, E'{"email": "a@b\\u000a.example"}')), 'review email', 'an address with a line break is none');
select is(t.says(t.paid(7, '{"email": "nobody"}')), 'review email', 'nor is one without a domain');
update orders set email = 'found@example.com' where id = t.id(5);
select is(t.says(t.paid(5) - 'event_id', 'support'), 'completed', 'once support knows the address, it completes');
select is((select email from accounts where email like 'found%'), 'found@example.com', 'for that address');

-- What does not match is not granted for being adopted.
select is(t.says(t.paid(8, '{"amount": 100}')), 'review amount', 'an adopted payment of another amount is in review');
select is((select count(*) from tickets where order_id = t.id(8)), 2::bigint, 'adopted, and does not match: two tickets');

-- Period and credits as bought.
select is(t.says(t.paid(9, '{"period": null, "period_iso": null, "credits": 10}')), 'completed', 'a pack of credits');
select is((select expires_at from subscriptions where order_id = t.id(9)), null, 'has no end');

-- Not before we know who we are.
update settings set mode = null;
select is(t.says(t.paid(10)), 'failed error', 'before the settings are stored nothing is adopted, nothing lost');

select * from finish();
rollback;
