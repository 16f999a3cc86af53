-- settle and events: one effect however often sent and in whatever order; what cannot
-- be applied is kept, told once, and heals by itself when the cause is gone.
\ir helper.psql
begin;
select plan(58);

-- Any order, and each fact twice, ends in the same rows.
create function t.permutations(in_items jsonb[]) returns setof jsonb[] language sql
as $$
    with recursive p (done, todo) as (
        select '{}'::jsonb[], in_items
        union all
        select p.done || p.todo[i], p.todo[:i - 1] || p.todo[i + 1:]
          from p cross join generate_subscripts(p.todo, 1) i)
    select done from p where cardinality(todo) = 0
$$;
-- Plays facts into an emptied world, retries what waits, and returns what is left.
create function t.play(in_facts jsonb[], in_placed boolean) returns jsonb language plpgsql
as $$
declare
    fact jsonb;
    world jsonb;
begin
    begin
        if in_placed then
            perform t.placed(1, 10);
        end if;
        foreach fact in array in_facts loop
            perform t.says(fact);
            perform t.says(fact);
        end loop;
        perform event_retry(provider, event_id) from provider_events
          where state in ('received', 'failed');
        world := t.world();
        raise sqlstate 'UNDO1';
    exception when sqlstate 'UNDO1' then
        return world;
    end;
end
$$;
select array[t.fact(1, 'checkout.open', '{"checkout_url": "https://pay/1"}'),
             t.fact(1, 'payment.failed', '{"failure": "card_declined"}'),
             t.fact(1, 'payment.processing'),
             t.paid(1, '{"card_last4": "4242"}'),
             t.paid(1, '{"event_id": "evt_charge", "receipt_url": "https://receipt", "credits": 10}'),
             t.fact(1, 'checkout.expired')] as paid,
       array[t.paid(1, '{"credits": 10}'),
             t.refund(1, 4900, 'succeeded', t.ago(30), 're_a'),
             t.refund(1, 20000, 'pending', t.ago(20), 're_b'),
             t.refund(1, 20000, 'succeeded', t.ago(10), 're_b'),
             t.paid(1, '{"event_id": "evt_late", "amount_refunded": 4900}')] as refunded,
       array[t.fact(1, 'payment.processing'), t.fact(1, 'payment.void', '{"failure": "no_funds"}'),
             t.fact(1, 'checkout.expired'), t.fact(1, 'checkout.none')] as unpaid
\gset
create temp table ends as
select 'paid' as story, t.play(p, true) as world from t.permutations(:'paid'::jsonb[]) p
union all
select 'refunded', t.play(p, true) from t.permutations(:'refunded'::jsonb[]) p
union all
select 'unpaid', t.play(p, true) from t.permutations(:'unpaid'::jsonb[]) p;

select is(count(*), 720::bigint, 'all 720 orders of six facts about one payment') from ends where story = 'paid';
select is(count(distinct world), 1::bigint, 'end in the same rows') from ends where story = 'paid';
select is(world #>> '{orders,0,state}', 'completed', 'completed') from ends where story = 'paid' limit 1;
select is(jsonb_array_length(world -> 'mails'), 1, 'with one mail') from ends where story = 'paid' limit 1;
select is(count(distinct world), 1::bigint, 'so do all orders of a payment and its refunds') from ends where story = 'refunded';
select is(world #>> '{orders,0,state}', 'refunded', 'refunded') from ends where story = 'refunded' limit 1;
select is(world #>> '{subscriptions,0,status}', 'refunded', 'without access') from ends where story = 'refunded' limit 1;
select is(world #>> '{accounts,0,1}', '0', 'without credits') from ends where story = 'refunded' limit 1;
select is(count(distinct world #>> '{orders,0,state}'), 1::bigint, 'and all orders of four failures') from ends where story = 'unpaid';
select is(world #>> '{orders,0,state}', 'failed', 'failed') from ends where story = 'unpaid' limit 1;

-- A refund that overtakes its payment waits.
select t.placed(2) \g /dev/null
select is(t.says(t.refund(2, 24900, 'succeeded')), 'ignored payment_unknown', 'a refund before its payment');
select results_eq(
    $$ select state, reason, next_try_at from provider_events where event_id = 'evt_re_2_succeeded' $$,
    $$ values ('received', 'payment_unknown', now() + interval '10 s') $$, 'is kept, and tried again');
select is((select count(*) from events_due(10)), 0::bigint, 'not at once');
select is(t.says(t.paid(2)), 'completed', 'the payment comes');
select is((select verdict || ' ' || reason from event_retry('stripe', 'evt_re_2_succeeded')), 'closed refunded', 'the retry applies it');
select is(t.state(2), 'refunded', 'and the order is refunded');
select is((select state from provider_events where event_id = 'evt_re_2_succeeded'), 'processed', 'the event is done');
select is(t.says(t.refund(3, 24900, 'succeeded')), 'ignored payment_unknown', 'a refund of something else in the account');
update provider_events set received_at = now() - interval '4 days', next_try_at = now() where event_id = 'evt_re_3_succeeded';
select is((select count(*) from events_due(10)), 1::bigint, 'is due');
select is((select verdict from event_retry('stripe', 'evt_re_3_succeeded')), 'ignored', 'and after three days');
select results_eq($$ select state, next_try_at from provider_events where event_id = 'evt_re_3_succeeded' $$,
    $$ values ('ignored', null::timestamptz) $$, 'is nobody''s');

-- A poison row: a trigger from outside makes one order's payment impossible to store.
select t.placed(n) from generate_series(10, 12) n \g /dev/null
create function t.refuse() returns trigger language plpgsql as $$ begin raise exception 'poison'; end $$;
create trigger refuse before insert on payments for each row
    when (new.payment_id = 'pi_11') execute function t.refuse();
select is(t.says(t.paid(10)), 'completed', 'the one before it heals');
select is(t.says(t.paid(11)), 'failed error', 'the poison row fails');
select is(t.says(t.paid(12)), 'completed', 'the one after it heals');
select is(t.state(11), 'pending', 'nothing of the poison row was applied');
select results_eq(
    $$ select state, attempts, next_try_at, error, fact -> 'payment_id' from provider_events
        where event_id = 'evt_11_payment.succeeded' $$,
    $$ values ('failed', 1, now() + interval '10 s', 'P0001 poison', '"pi_11"'::jsonb) $$, 'the event is kept for another try');
select is(t.says(t.paid(11, '{"event_id": "evt_11b"}')), 'failed error', 'by another event of the same payment');
select is(t.says(t.paid(11) - 'event_id', 'reconcile'), 'failed error', 'by a sweep');
select is((select event_id from provider_events where event_id like 'fact:%'), 'fact:payment.succeeded:pi_11',
    'a fact without an event gets a name of its own');
select is((select count(*) from alerts where key like 'poison:%' and closed_at is null), 1::bigint, 'one alert for all of them');
select is((select count(*) from outbox where kind = 'alert' and template = 'page'), 1::bigint, 'which pages once');
select is(t.says(t.paid(11)), 'failed error', 'second failure');
select is((select next_try_at - now() from provider_events where event_id = 'evt_11_payment.succeeded'), interval '40 s', 'after 40 s');
select is(t.says(t.paid(11)), 'failed error', 'third failure');
select is(t.says(t.paid(11)), 'failed error', 'fourth failure');
select is((select next_try_at - now() from provider_events where event_id = 'evt_11_payment.succeeded'), interval '640 s', 'after 640 s');
select is((select count(*) from tickets where kind = 'poison'), 0::bigint, 'not yet a ticket');
select is(t.says(t.paid(11)), 'parked error', 'the fifth parks it');
select is((select next_try_at - now() from provider_events where event_id = 'evt_11_payment.succeeded'), interval '1 day', 'still tried daily');
select is((select count(*) from tickets where kind = 'poison'), 1::bigint, 'with a ticket');
select is((select count(*) from outbox where kind = 'alert'), 1::bigint, 'and no second message');

drop trigger refuse on payments;
update provider_events set next_try_at = now() where next_try_at is not null;
select results_eq($$ select s.verdict, count(*) from events_due(10) e cross join lateral event_retry(e.provider, e.event_id) s group by 1 order by 2 $$,
    $$ values ('completed', 1::bigint), ('already', 2::bigint) $$, 'the cause removed, the retry heals it once');
select is(t.state(11), 'completed', 'it is completed');
select is((select completed_via from orders where id = t.id(11)), 'replay', 'by replay');
select is((select count(*) from alerts where key like 'poison:%' and closed_at is null), 0::bigint, 'the alert is closed');
select is((select count(*) from provider_events where state in ('failed', 'parked')), 0::bigint, 'nothing is left to retry');

-- What cannot be read.
select is(t.says(t.paid(12, '{"event_id": "u1", "amount": 24900.5}')), 'parked error', 'half a cent is not rounded');
select is(t.says(t.paid(12, '{"event_id": "u2", "amount": 24900.0}')), 'parked error', 'a decimal point is no integer');
select is(t.says(t.paid(12, '{"event_id": "u3", "amount": "24900"}')), 'parked error', 'nor is text');
select is(t.says(t.paid(12, '{"event_id": "u4", "amount": 9223372036854775808}')), 'parked error', 'nor what does not fit');
select is(t.says(t.paid(12, '{"event_id": "u5", "order_id": "1 or 1=1"}')), 'parked error', 'an id that is none');
select is((select count(*) from tickets where kind = 'unreadable'), 2::bigint, 'a person is told, once for each subject');
select is(event_keep('stripe', null, '\x7b00ff', 'not JSON'), 'parked', 'bytes that are no JSON are kept');
select is(event_keep('stripe', null, '\x7b00ff', 'not JSON'), 'already', 'once');
select results_eq($$ select event_id, raw, state, error from provider_events where raw is not null $$,
    $$ values ('sha256:' || encode(sha256('\x7b00ff'), 'hex'), '\x7b00ff'::bytea, 'parked', 'not JSON') $$, 'under their hash');
select is((select count(*) from events_due(100) where event_id like 'sha256:%'), 0::bigint, 'and not retried: the same bytes cannot help');
select set_eq($$ select * from events_known('stripe', array['evt_10_payment.succeeded', 'evt_new', 'evt_re_3_succeeded', 'u1']) $$,
    $$ values ('evt_new'), ('u1') $$, 'events_known: new and unsettled ones are still to be done');

-- The caller's part: these are raised, not stored, because repeating the call helps.
create function t.busy() returns trigger language plpgsql as $$ begin raise sqlstate '40P01'; end $$;
create trigger busy before insert on payments for each row execute function t.busy();
select t.placed(13) \g /dev/null
select throws_ok($$ select t.says(t.paid(13)) $$, '40P01', null, 'a deadlock is the caller''s to repeat');

select * from finish();
rollback;
