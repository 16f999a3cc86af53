-- order_complete: what exactly is granted. Nobody loses a day, late is apologised for,
-- renewing early extends, buying twice by mistake is put before a person.
\ir helper.psql
begin;
select plan(38);

-- How late decides the mail and the days.
create function t.late(in_n int, in_seconds int) returns table (mail text, bonus int, days int) language sql
as $$
    select t.placed(in_n);
    select t.says(t.paid(in_n, jsonb_build_object('paid_at', t.ago(in_seconds))), 'reconcile');
    select m.template, o.bonus_days,
           (extract(epoch from s.expires_at - period_after(s.starts_at, '1 year')) / 86400)::int
      from orders o join subscriptions s on s.order_id = o.id
      join outbox m on m.order_id = o.id where o.id = t.id(in_n)
$$;
select results_eq('select * from t.late(1, 119)', $$ values ('confirmation', 0, 0) $$, 'within two minutes: a confirmation');
select results_eq('select * from t.late(2, 122)', $$ values ('recovered', 0, 0) $$, 'later: an apology');
select results_eq('select * from t.late(3, 598)', $$ values ('recovered', 0, 0) $$, 'just under ten minutes: no more than that');
select results_eq('select * from t.late(4, 601)', $$ values ('recovered', 7, 7) $$, 'from ten minutes on: and a week');
select is(settings_store('{"goodwill_days": 0, "late_after": "1 hour"}'), true, 'goodwill switched off');
select is(settings_store('{"goodwill_days": 0, "late_after": "1 hour"}'), false, 'storing the same changes nothing');
select results_eq('select * from t.late(5, 1200)', $$ values ('confirmation', 0, 0) $$, 'is off');
select settings_store('{"goodwill_days": 7, "late_after": "2 minutes"}') \g /dev/null
select results_eq('select * from t.late(6, -300)', $$ values ('confirmation', 0, 0) $$, 'a provider whose clock is ahead');
select is((select delay_s from t.settle(t.paid(6))), 0, 'delays nothing below zero');
select ok((select paid_at <= completed_at and s.starts_at = completed_at from orders o
             join subscriptions s on s.order_id = o.id where o.id = t.id(6)), 'and access waits for no clock');

-- Calendar: a year is a year whatever zone the session has.
set local timezone = 'Europe/Berlin';
select t.placed(7) \g /dev/null
select is(t.says(t.paid(7)), 'completed', 'bought');
set local timezone = 'UTC';
select is((select expires_at from subscriptions where order_id = t.id(7)), now() + interval '1 year', 'ends in the same UTC hour');

-- Credits and plans without an end.
select t.placed(8, 500, null, null, 'pack') \g /dev/null
select is(t.says(t.paid(8, '{"product": "pack", "paid_at": 0}')), 'completed', 'a pack of credits');
select results_eq($$ select s.expires_at, a.credits, c.amount, c.balance_after, c.reason, o.bonus_days
                       from orders o join subscriptions s on s.order_id = o.id join accounts a on a.id = s.account_id
                       join credit_transactions c on c.order_id = o.id where o.id = t.id(8) $$,
    $$ values (null::timestamptz, 500::bigint, 500::bigint, 500::bigint, 'purchase', 0) $$,
    'books them once; without a period there are no days to add');
select t.placed(9, 500, 'c8@example.com', null, 'pack') \g /dev/null
select is(t.says(t.paid(9, '{"product": "pack"}')), 'completed', 'another pack');
select is((select credits from accounts where email = 'c8@example.com'), 1000::bigint, 'adds up');

-- The address: one account, whatever its case; never the wallet's.
select t.placed(10, 0, 'Bea@Example.COM') \g /dev/null
select is(t.says(t.paid(10)), 'completed', 'an address in capitals');
select is((select email from accounts where email like 'bea%'), 'bea@example.com', 'is folded');
select is((select recipient from outbox where order_id = t.id(10)), 'Bea@Example.COM', 'and written to as typed');
select t.placed(11, 0, 'ﬀKelvin@example.com'), t.placed(12, 0, 'ﬀkelvin@example.com') \g /dev/null
select t.placed(13, 0, U&'\212Aelvin@example.com') \g /dev/null
select is(t.says(t.paid(11)), 'completed', 'an address with letters beyond ASCII');
select is(t.says(t.paid(13)), 'completed', 'one with the Kelvin sign');
select is((select count(*) from accounts where email ~ 'elvin@'), 2::bigint, 'are two people');
select is((select count(*) from accounts where email like 'wallet%'), 0::bigint, 'nobody is made from the wallet''s address');

-- The same plan again: inside the window a mistake, outside a renewal.
select t.placed(20, 0, 'dan@example.com'), t.placed(21, 0, 'DAN@example.com') \g /dev/null
select is(t.says(t.paid(20)), 'completed', 'bought');
select is(t.says(t.paid(21)), 'completed', 'bought again a moment later, in capitals');
select is((select count(*) from subscriptions s join accounts a on a.id = s.account_id
            where a.email = 'dan@example.com' and s.starts_at = now()), 2::bigint, 'both give access now');
select is((select order_id from tickets where kind = 'duplicate' and email ilike 'dan@%'), t.id(21), 'and a person is asked');
set local session_replication_role = replica;
update orders set completed_at = completed_at - interval '25 hours' where id in (t.id(20), t.id(21));
update subscriptions set expires_at = now() + interval '10 days' where order_id = t.id(20);
update subscriptions set expires_at = now() + interval '40 days' where order_id = t.id(21);
set local session_replication_role = origin;
select t.placed(22, 0, 'dan@example.com') \g /dev/null
select is(t.says(t.paid(22)), 'completed', 'bought again after the window');
select results_eq($$ select starts_at, expires_at from subscriptions where order_id = t.id(22) $$,
    $$ values (now() + interval '40 days', period_after(now() + interval '40 days', '1 year')) $$,
    'the year begins when what is running ends');
select is((select count(*) from tickets where kind = 'duplicate' and email ilike 'dan@%'), 1::bigint, 'nobody is bothered');
select t.placed(23, 0, 'dan@example.com', '1 month', 'monthly') \g /dev/null
select is(t.says(t.paid(23, '{"product": "monthly"}')), 'completed', 'another plan');
select is((select starts_at from subscriptions where order_id = t.id(23)), now(), 'begins now');

-- One order paid twice.
select is(t.says(t.paid(23, '{"product": "monthly", "payment_id": "pi_23b", "event_id": "e23b"}')), 'updated paid_twice',
    'a second payment of one order');
select is((select payment_id from orders where id = t.id(23)), 'pi_23', 'the first stays what completed it');
select is((select count(*) from tickets where dedupe_key = 'duplicate:pi_23b'), 1::bigint, 'a person gives the second back');
select is(t.says(t.paid(23, '{"product": "monthly", "payment_id": "pi_23b", "event_id": "e23c"}')), 'already paid_twice', 'told once');
select is(t.says(t.paid(23, '{"payment_id": "pi_23b", "event_id": "e23d", "amount_refunded": 24900}')), 'updated paid_twice',
    'given back, it takes no access along');
select is(t.state(23), 'completed', 'the order stands');

select * from finish();
rollback;
