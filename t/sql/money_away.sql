-- Money that no access came of, and money that came twice: what goes back by itself, what is
-- put before a person, and when it must not be.
\ir helper.psql
begin;
select plan(58);

create function t.refunds_asked() returns table (payment text, why text, amount bigint) language sql as $$
    select m.payload ->> 'payment_id', m.payload ->> 'why', (m.payload ->> 'amount')::bigint
      from subpay.outbox m where m.kind = 'refund' order by m.id
$$;
-- Payment n came in_age ago; so did its row.
create function t.aged(n int, in_age interval) returns void language sql as $$
    update subpay.payments set paid_at = now() - in_age, created_at = now() - in_age
     where payment_id = 'pi_' || n
$$;
create function t.stranded(n int, in_age interval) returns void language plpgsql as $$
begin
    perform t.placed(n), t.says(t.paid(n, '{"amount": 20000}')), t.aged(n, in_age);
end
$$;
create function t.refund_id(n int) returns bigint language sql as $$
    select id from subpay.outbox where kind = 'refund' and payload ->> 'payment_id' = 'pi_' || n
$$;

-- Nothing is done until somebody wants it.
select t.stranded(1, '10 days') \g /dev/null
select is(refunds_decide(), 0, 'without SubPayAutoRefundAfter nothing happens');

-- propose: a ticket with the button, in the place of the one before.
select settings_store('{"auto_refund_after": "72 h"}') \g /dev/null
select t.stranded(2, '71 h') \g /dev/null
select is(refunds_decide(), 1, 'only what is old enough');
select results_eq($$ select kind, state from tickets where order_id = t.id(1) order by id $$,
    $$ values ('review', 'solved'), ('refund_proposed', 'open') $$, 'one ticket, with the question of today');
select is_empty('select * from t.refunds_asked()', 'nothing is sent back by itself');
select is(refunds_decide(), 0, 'proposed once');
select ok(exists (select from tickets where order_id = t.id(1) and state <> 'solved'), 'the order still has its ticket');

-- do: sent back, so many a day.
select settings_store('{"auto_refund": "do", "auto_refund_limit": 2}') \g /dev/null
select t.stranded(n, '4 days') from generate_series(3, 5) n \g /dev/null
select is(refunds_decide(), 3, 'two are sent back, one is proposed');
select results_eq('select * from t.refunds_asked()',
    $$ values ('pi_3', 'unasked', 20000::bigint), ('pi_4', 'unasked', 20000::bigint) $$, 'whole, in their order');
select is((select count(*) from tickets where kind = 'refund_proposed'), 2::bigint, 'the third is a person''s');
select is((select count(*) from alerts where key = 'auto_refund_limit'), 1::bigint, 'who also hears that the limit held');
select is(refunds_decide(), 0, 'decided once');
select is(t.state(3), 'review', 'it is not refunded before it is');
select is(refund_ready(t.refund_id(3)), 'ok', 'the worker may make it');
select t.says(t.refund(3, 20000, 'succeeded')) \g /dev/null
select results_eq($$ select o.state, k.state, m.template, m.payload -> 'refund' ? 'unasked_paid_at', m.payload -> 'refund' ? 'plan_ends'
                       from orders o join tickets k on k.order_id = o.id and k.kind = 'review'
                       join outbox m on m.order_id = o.id and m.dedupe_key like 'refund_mail%' where o.id = t.id(3) $$,
    $$ values ('refunded', 'solved', 'refund', true, false) $$, 'made: closed, and the customer told why, before they asked');

-- Never while the outcome is unknown, or a bank is in it.
select settings_store('{"auto_refund_limit": 100}') \g /dev/null
select t.stranded(n, '4 days') from generate_series(6, 9) n \g /dev/null
select t.says(t.dispute(6, 'open')) \g /dev/null
select t.says(t.dispute(7, 'warning')) \g /dev/null
insert into outbox (kind, dedupe_key, order_id, payload)
values ('refund', 'x', t.id(8), '{"provider": "stripe", "payment_id": "pi_8", "amount": 100, "currency": "USD"}');
insert into provider_events (provider, event_id, kind, state, reason, fact, order_id, next_try_at)
values ('stripe', 'poison', 'payment.succeeded', 'failed', 'error', '{}', t.id(9), now());
select is(refunds_decide(), 0, 'disputed, asked about, a refund on its way, a word that could not be applied: left alone');
select t.stranded(10, '4 days') \g /dev/null
update payments set created_at = now() where payment_id = 'pi_10';
select is(refunds_decide(), 0, 'an old payment that we know for minutes may still heal');
select t.aged(10, '4 days') \g /dev/null
select is(refunds_decide(), 1, 'later it goes');
select t.says(t.dispute(10, 'open')) \g /dev/null
select is(refund_ready(t.refund_id(10)), 'disputed', 'a dispute that comes before it is made stops it');

-- Access came after all.
select t.placed(11), t.says(t.paid(11, '{"product": "other"}')), t.aged(11, '4 days') \g /dev/null
select is(refunds_decide(), 1, 'decided');
select is(t.says(t.paid(11, '{"event_id": "right"}')), 'completed', 'then the order is completed after all');
select is(refund_ready(t.refund_id(11)), 'moot', 'and nothing is sent back');
select is((select action from audit where order_id = t.id(11) order by id desc limit 1), 'refund.withdrawn', 'which is written down');
update outbox set attempts = 2 where id = t.refund_id(11);
select is(refund_ready(t.refund_id(11)), 'moot', 'nor when a worker had claimed it, and asked nobody');
select t.placed(12), t.says(t.paid(12, '{"product": "other"}')), t.aged(12, '4 days') \g /dev/null
select refunds_decide() \g /dev/null
select is(refund_ready(t.refund_id(12)), 'ok', 'one that the provider is asked for now');
select t.says(t.paid(12, '{"event_id": "right"}')) \g /dev/null
select is(refund_ready(t.refund_id(12)), 'ok', 'may be made: then only repeating it tells');

-- Paid twice, by two orders.
select settings_store('{"duplicates": "refund"}') \g /dev/null
select t.placed(n, 100, 'twin@example.com') from generate_series(20, 21) n \g /dev/null
select is(t.says(t.paid(20)), 'completed', 'bought');
select is(t.says(t.paid(21)), 'completed', 'and again');
select results_eq($$ select payload ->> 'payment_id', payload ->> 'why', (payload ->> 'kept')::uuid from outbox where order_id = t.id(21) and kind = 'refund' $$,
    $$ values ('pi_21', 'duplicate', t.id(20)) $$, 'the second goes back by itself');
select is((select credits from accounts where email = 'twin@example.com'), 100::bigint, 'and brought no credits');
select is_empty($$ select * from tickets where kind = 'duplicate' $$, 'nobody is asked');
select is_empty($$ select * from anomalies() where code = 'duplicate' $$, 'nor later');
select t.says(t.refund(21, 24900, 'succeeded')) \g /dev/null
select results_eq($$ select o.state, s.status from orders o join subscriptions s on s.order_id = o.id where o.id in (t.id(20), t.id(21)) order by o.created_at, s.created_at, s.status $$,
    $$ values ('completed', 'active'), ('refunded', 'refunded') $$, 'one purchase stays');
select is((select template from outbox where order_id = t.id(21) and dedupe_key like 'refund_mail%'), 'duplicate', 'told in the words for it');
select is(t.says(t.refund(21, 24900, 'failed')), 'updated', 'the refund fails');
select is((select credits from accounts where email = 'twin@example.com'), 200::bigint,
    'then it is a purchase like any other, until a person finds a way');

-- The payment that stays must be whole.
select t.placed(n, 0, 'both@example.com') from generate_series(22, 23) n \g /dev/null
select t.says(t.paid(22)), t.says(t.paid(23)) \g /dev/null
select ok(t.refund_id(23) is not null, 'decided');
insert into outbox (kind, dedupe_key, order_id, payload)
values ('refund', 'by hand', t.id(22), '{"provider": "stripe", "payment_id": "pi_22", "amount": 24900, "currency": "USD", "by": "ana"}');
select is(refund_ready(t.refund_id(23)), 'moot', 'somebody gives the first back: then the second stays');
select is((select order_id from tickets where dedupe_key = 'duplicate:pi_23'), t.id(23), 'and a person hears');
select t.placed(n, 0, 'hurt@example.com') from generate_series(24, 25) n \g /dev/null
select t.says(t.paid(24)), t.says(t.dispute(24, 'open')), t.says(t.paid(25)) \g /dev/null
select is(t.refund_id(25), null, 'the first is disputed: a person decides');
select is((select count(*) from tickets where kind = 'duplicate' and order_id = t.id(25)), 1::bigint, 'by a ticket');

-- Packs are bought twice on purpose.
select t.placed(n, 50, 'pack@example.com', null, 'pack') from generate_series(26, 27) n \g /dev/null
select t.says(t.paid(n, '{"product": "pack", "period": null}')) from generate_series(26, 27) n \g /dev/null
select is((select credits from accounts where email = 'pack@example.com'), 100::bigint, 'two packs are two packs');
select is((select count(*) from tickets where kind = 'duplicate' and order_id = t.id(27)), 1::bigint, 'a person looks at it');

-- Any refund ends it, where the owner wants that; an open dispute suspends.
select settings_store('{"refund_ends": "any", "dispute_access": "suspend"}') \g /dev/null
select t.placed(30, 10), t.says(t.paid(30)), t.says(t.refund(30, 100, 'succeeded')) \g /dev/null
select results_eq($$ select o.state, s.status from orders o join subscriptions s on s.order_id = o.id where o.id = t.id(30) $$,
    $$ values ('refunded', 'refunded') $$, 'a refund in part ends access');
select t.placed(31, 10), t.says(t.paid(31)), t.says(t.dispute(31, 'open', t.ago(9))) \g /dev/null
select is((select status from subscriptions where order_id = t.id(31)), 'suspended', 'a dispute suspends it');
select t.says(t.dispute(31, 'won', t.ago(5))) \g /dev/null
select is((select status from subscriptions where order_id = t.id(31)), 'active', 'won: back');
select is((select credits from accounts where email = 'c31@example.com'), 10::bigint, 'with its credits');

-- Paid on two pages, and in review: the end of one payment is not that of the order.
select settings_store('{"refund_ends": "full"}') \g /dev/null
create function t.second(n int, in_over jsonb default '{}') returns jsonb language sql as $$
    select t.paid(n, jsonb_build_object('payment_id', 'pi_' || n || 'b', 'event_id', 'b' || n, 'amount', 20000) || in_over)
$$;
create function t.asked_about(n int) returns text language sql as $$
    select string_agg(kind || ' ' || case state when 'solved' then 'solved' else 'open' end, ', ' order by kind)
      from subpay.tickets where order_id = t.id(n)
$$;
select t.placed(32), t.says(t.paid(32, '{"amount": 20000}')) \g /dev/null
select is(t.says(t.second(32)), 'already amount', 'the second payment of an order in review');
select t.says(t.paid(32, '{"amount": 20000, "event_id": "again"}')), t.says(t.second(32, '{"event_id": "again b"}')) \g /dev/null
select is(t.asked_about(32), 'duplicate open, review open', 'has a ticket of its own, one');
select is(t.says(t.refund(32, 20000, 'succeeded', null, 're_32b') || '{"payment_id": "pi_32b"}'), 'updated', 'one goes back');
select is(t.state(32) || ': ' || t.asked_about(32), 'review: duplicate open, review open', 'the other is still a person''s');
select is(desk_refund(jsonb_build_object('seen', desk_seen(t.id(32))::text, 'actor', 'ana', 'reference',
    (select reference from orders where id = t.id(32)))) ->> 'verdict', 'asked', 'who can refund it');
select t.says(t.refund(32, 20000, 'succeeded')) \g /dev/null
select is(t.state(32) || ': ' || t.asked_about(32), 'refunded: duplicate solved, review solved', 'then all is answered');
select t.placed(33), t.says(t.paid(33, '{"amount": 20000}')) \g /dev/null
select is(t.says(t.second(33, '{"amount_refunded": 20000}')), 'updated', 'one that had gone back when we heard of it');
select is(t.state(33) || ': ' || t.asked_about(33), 'review: review open', 'closes nothing either');
select t.placed(34), t.says(t.paid(34)), t.says(t.second(34, '{"amount": 24900}')), t.says(t.refund(34, 24900, 'succeeded')) \g /dev/null
select is(t.state(34), 'refunded', 'completed, and its own payment goes back: access ends');
select ok(coalesce(t.asked_about(34), '') like '%duplicate open%', 'and the other payment is not forgotten');

-- Two people.
select settings_store('{"refund_confirm": {"USD": 20000}}') \g /dev/null
select t.placed(40), t.says(t.paid(40)) \g /dev/null
create function t.asks(in_who text, in_amount bigint default null) returns text language sql as $$
    select desk_refund(jsonb_strip_nulls(jsonb_build_object('seen', desk_seen(t.id(40))::text, 'actor', in_who, 'amount', in_amount,
        'reference', (select reference from orders where id = t.id(40))))) ->> 'verdict'
$$;
select is(array[t.asks('ana', 20000), t.asks('ana', 1), t.asks('ana', 1)], '{asked,refund_asked,second_person}', 'up to the sum one is enough; parts count together; nobody confirms themselves');
select is(array[t.asks('sam', 2), t.asks('ana', 2), t.asks('ana', 2)], '{refund_asked,asked,refund_asked}', 'another sum is another question; the same one confirms');

select * from finish();
rollback;
