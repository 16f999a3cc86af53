-- person_export, person_erase, retention_clean: one person is told all, is forgotten and
-- stays forgotten; what is old goes; the books stay, and so do the invariants.
\ir helper.psql
begin;
select plan(73);

-- Where an address or a name is, in any column of any table: the rows as text.
create function t.traces(in_what text) returns setof text language plpgsql
as $$
declare
    place record;
    found bigint;
begin
    for place in select format('subpay.%I', c.relname) as relation, c.relname as name
                   from pg_class c
                  where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'p') loop
        -- bytea as text too: hex in JSON, so both forms are looked for
        execute format('select count(*) from %s r where to_jsonb(r)::text ilike $1
                            or to_jsonb(r)::text ilike $2', place.relation)
           into found using '%' || in_what || '%', '%' || encode(convert_to(in_what, 'UTF8'), 'hex') || '%';
        if found > 0 then
            return next place.name || ' ' || found;
        end if;
    end loop;
end
$$;
create function t.books() returns jsonb language sql
as $$
    select jsonb_build_object(
        'orders', (select jsonb_agg(jsonb_build_array(o.id, o.reference, o.state, o.amount, o.currency,
            o.payment_id, o.paid_at, o.completed_at, o.completed_via) order by o.id) from orders o),
        'payments', (select jsonb_agg(jsonb_build_array(p.payment_id, p.order_id, p.amount, p.amount_refunded,
            p.card_last4) order by p.payment_id) from payments p),
        'refunds', (select jsonb_agg(to_jsonb(r) order by r.refund_id) from refunds r),
        'credits', (select jsonb_agg(to_jsonb(c) - 'idempotency_key' order by c.id) from credit_transactions c),
        'audit', (select jsonb_agg(jsonb_build_array(a.id, a.at, a.action, a.order_id) order by a.id)
                    from audit a where a.action <> 'support.erase'))
$$;
create function t.erase(in_email text, in_reason text default 'she asked') returns text language sql
as $$ select verdict from person_erase(in_email, 'sam', in_reason) $$;
create function t.sent() returns void language sql
as $$ update outbox set state = 'sent', sent_at = now() where state = 'pending' $$;

-- Ana: bought with credits, wrote, looked, asked for a password, corrected her address,
-- got half back, and was spoken of by support. Diana's address holds hers.
select settings_store('{"mode": "test", "site": "https://shop.example", "notify": true}') \g /dev/null
select t.placed(1, 10, 'Anna@Example.com') \g /dev/null
select t.settle(t.paid(1, '{"email": "ana.pays@wallet.example", "name": "Ana Example", "receipt_url": "https://pay.example/r/ana", "order_email": "Anna@Example.com"}')) \g /dev/null
update orders set name = 'Ana Example' where id = t.id(1);
update accounts set name = 'Ana Example', password_hash = 'hash' where email = 'anna@example.com';
select email_correct(o.token_hash, 'Ana@Example.com', 'a…@Example.com') from orders o where o.id = t.id(1) \g /dev/null
update accounts set name = 'Ana Example' where email in ('ana@example.com', 'anna@example.com');
select ticket_write('00000000-0000-0000-0000-000000000001', 'ana@example.com', E'Ana Example here\nWhere is it? ana@example.com', 'yes', null, null, 'de') \g /dev/null
select search_add(null, 'ANA@example.com', null, null, null, null, null, null) \g /dev/null
select password_ask('ana@example.com') \g /dev/null
select session_open(a.id, sha256('s'), interval '1 day') from accounts a where a.email = 'ana@example.com' \g /dev/null
select credit_deduct('ana@example.com', 3, 'a report', 'key-of-ana@example.com', 'app') \g /dev/null
select t.settle(t.refund(1, 100, 'succeeded')) \g /dev/null
select audit_add('sam', 'support.note', t.id(1), null, 'Called Ana Example, ana@example.com', '{"email": "ana@example.com", "name": "Ana Example"}') \g /dev/null
select alert_raise('someone', 'today', 'Look at ana@example.com', '{"who": "ana@example.com"}') \g /dev/null
insert into desk_actions values (gen_random_uuid(), 'resend', 'sam', t.id(1), '{"to": "ana@example.com"}');
select event_keep('stripe', 'evt_raw', convert_to('{"email": "Ana@Example.com", oops', 'UTF8'), 'cannot be read') \g /dev/null
select t.placed(2, 0, 'diana@example.com') \g /dev/null
select t.settle(t.paid(2, '{"email": "diana@example.com", "name": "Diana Other"}')) \g /dev/null
select t.placed(3, 0, 'ana@example.com.au') \g /dev/null
select t.settle(t.paid(3)) \g /dev/null

-- Told.
create temp table held as select person_export('ana@EXAMPLE.com') as x;
select is((select array_agg(k order by k) from held, jsonb_object_keys(x) k),
    '{account,audit,credits,days,events,mails,orders,payments,refunds,searches,sessions,subscriptions,tickets}'::text[],
    'export: a part for each kind of thing that is held');
select is((select x #>> '{account,email}' from held), 'ana@example.com', 'the account');
select is((select x #>> '{orders,0,name}' from held), 'Ana Example', 'the order');
select is((select x #>> '{payments,0,email}' from held), 'ana.pays@wallet.example', 'the payment, as the provider named her');
select is((select x #>> '{refunds,0,amount}' from held), '100', 'what went back');
select is((select jsonb_array_length(x -> 'credits') from held), 4, 'her credits, also before the correction');
select ok((select x #>> '{tickets,0,messages,0,body}' from held) like '%Where is it?%', 'what she wrote');
select ok((select jsonb_array_length(x -> 'mails') from held) >= 3, 'what we wrote');
select ok((select x::text !~ 'password_hash|token_hash|form_key' from held), 'and no secret');
select ok((select x::text !~ 'diana' from held), 'and nobody else');
select is(person_export('nobody@example.com'), null, 'of a stranger: nothing');

-- What stands against it.
select is(t.erase('nobody@example.com'), 'not_found', 'erase: a stranger is not there');
select is(t.erase('ana@example.com', null), 'access', 'access that goes on needs a reason');
select is((select status from subscriptions where order_id = t.id(1)), 'active', 'and nothing has happened');
select t.placed(4, 0, 'ana@example.com') \g /dev/null
select is(t.erase('ana@example.com'), 'open', 'an order that may still be paid');
select t.settle(t.fact(4, 'checkout.expired')) \g /dev/null
update orders set next_ask_at = now() where id = t.id(4);
select is(t.erase('ana@example.com'), 'open', 'or that is closed, while its page may be paid all the same');
update orders set next_ask_at = null where id = t.id(4);
insert into disputes (provider, dispute_id, payment_id, amount, status, said_at) values ('stripe', 'dp', 'pi_1', 1, 'open', now());
select is(t.erase('ana@example.com', null), 'dispute', 'a bank that asks needs a reason');
insert into renewals (provider, renewal_id, order_id, state) values ('stripe', 'sub_1', t.id(1), 'active');
select is(t.erase('ana@example.com'), 'renews', 'a renewal is stopped first, whatever the reason');
update renewals set state = 'ended';
select is(t.erase('ana@example.com'), 'waiting', 'what is about to leave goes first');
select is((select status from subscriptions where order_id = t.id(1)), 'ended', 'but access has ended');
select is((select count(*)::int from outbox where kind = 'notify' and payload ->> 'type' = 'entitlement.ended'
             and payload #>> '{data,account}' = 'ana@example.com'), 1, 'and the application hears whose it was');
select t.sent() \g /dev/null

-- Forgotten.
create temp table books as select t.books() as before;
create temp table others as select to_jsonb(o) as o from orders o where id in (t.id(2), t.id(3));
select is(t.erase('ana@example.com'), 'erased', 'erased');
select is(array(select x from t.traces('ana@example.com') x
                 where x !~ '^(accounts|orders|outbox|payments|provider_events) '), '{}'::text[], 'no trace of the address elsewhere');
select is((select count(*)::int from orders o where to_jsonb(o)::text ilike '%ana@example.com%' and o.id not in (t.id(2), t.id(3))), 0, 'nor in orders');
select is((select count(*)::int from accounts o where to_jsonb(o)::text ilike '%ana@example.com%' and o.email not in ('diana@example.com', 'ana@example.com.au')), 0, 'nor in accounts');
select is((select count(*)::int from outbox o where to_jsonb(o)::text ilike '%ana@example.com%' and o.order_id not in (t.id(2), t.id(3))), 0, 'nor in mails');
select is((select count(*)::int from payments o where to_jsonb(o)::text ilike '%ana@example.com%' and o.order_id not in (t.id(2), t.id(3))), 0, 'nor in payments');
select is((select count(*)::int from provider_events o where to_jsonb(o)::text ilike '%ana@example.com%' and o.order_id is distinct from t.id(2) and o.order_id is distinct from t.id(3)), 0, 'nor in events');
select is((select octet_length(raw) from provider_events where event_id = 'evt_raw'), 0, 'nor in bytes that nobody could read');
select is(array(select t.traces('Ana Example')), '{}'::text[], 'none of her name');
select is(array(select t.traces('Anna@Example')), '{}'::text[], 'none of the address before the correction');
select is(array(select t.traces('ana.pays')), '{}'::text[], 'none of the one at the provider');
select is(array(select t.traces('pay.example/r/ana')), '{}'::text[], 'nor of her receipt there');
select is(t.books(), (select before from books), 'the books stay, to the last cent');
select is((select jsonb_agg(to_jsonb(o) order by o.id) from orders o where id in (t.id(2), t.id(3))),
    (select jsonb_agg(o order by o ->> 'id') from others), 'and so do the others');
select is((select count(*)::int from sessions), 0, 'nobody is logged in as her');
select is((select count(*)::int from accounts where password_hash is not null), 0, 'nor could be');
select ok((select email like 'erased-%@erased.invalid' and name is null and token_hash is null and erased_at is not null
             from orders where id = t.id(1)), 'a pseudonym stands there');
select is((select array_agg(distinct actor || ' ' || reason) from audit where action = 'support.erase'), '{sam she asked}', 'the audit says who and why');
select is((select count(*)::int from audit where action = 'support.erase' and order_id = t.id(1)), 1, 'with the order');
select is(person_export('ana@example.com'), null, 'nothing is held any more');
select is(t.erase('ana@example.com'), 'not_found', 'so it can be done once');

-- And stays so.
select is(t.says(t.paid(1, '{"event_id": "late", "email": "ana@example.com", "name": "Ana Example", "order_email": "ana@example.com", "receipt_url": "https://pay.example/r/ana", "charge_id": "ch_late"}')),
    'already', 'told again by the provider');
select is(t.says(t.refund(1, 24800, 'succeeded', null, 're_late') || '{"email": "ana@example.com"}'), 'closed refunded', 'the rest goes back');
select is((select state from orders where id = t.id(1)), 'refunded', 'which counts');
select is((select array_agg(distinct state || ' ' || payload) from outbox where order_id = t.id(1) and dedupe_key like 'refund_mail:%re_late'),
    '{"sent {}"}', 'and is mailed to nobody');
select is(t.says(t.dispute(1, 'lost')), 'updated', 'a dispute is lost');
select is(array(select t.traces('Ana Example')), '{}'::text[], 'no name came back');
select is((select count(*)::int from provider_events o where to_jsonb(o)::text ilike '%ana@example.com%' and o.order_id = t.id(1)), 0, 'no address');
select is((select count(*)::int from payments where email not like '%@erased.invalid' and order_id = t.id(1)), 0, 'not in the payment either');
select t.says(t.paid(4, '{"email": "ana@example.com"}')) \g /dev/null
select results_eq($$ select kind, email from tickets where dedupe_key = 'erased:' || t.id(4) $$, $$ values ('payment_without_email', null::text) $$,
    'a page that was paid all the same: a person sends it back');
select is((select count(*)::int from orders where id = t.id(4) and email like '%@erased.invalid'), 1, 'and no address came with it');
select t.placed(5, 0, 'ana@example.com') \g /dev/null
select is(t.says(t.paid(5)), 'completed', 'she may come again');
select is((select count(*)::int from accounts where email = 'ana@example.com'), 1, 'as somebody new');

-- What only grows has no other way past.
select throws_ok($$ update audit set reason = 'x' $$, '23001', null, 'the audit is not changed');
select throws_ok($$ delete from audit $$, '23001', null, 'nor shortened');
select set_config('subpay.hand', 'erase', true) \g /dev/null
select throws_ok($$ update audit set at = now() - interval '1 s' $$, '23001', null, 'whose hand it is does not help: when it was stays');
select throws_ok($$ update credit_transactions set amount = 1 $$, '23001', null, 'and so does every sum');
select throws_ok($$ delete from audit $$, '23001', null, 'to erase is not to delete');
select set_config('subpay.hand', 'retention', true) \g /dev/null
select throws_ok($$ delete from audit $$, '23001', null, 'what is younger than a year is not deleted');
select set_config('subpay.hand', '', true) \g /dev/null

-- By age. Nothing is old yet:
select t.settle(t.refund(2, 100, 'succeeded')) \g /dev/null
select t.sent() \g /dev/null
select is(retention_clean('60 d', '30 d', '1 year'), 0, 'retention: nothing is old');
create temp table kept as select (select count(*) from outbox) as outbox, (select count(*) from tickets) as tickets, t.books() as books;
update provider_events set received_at = now() - interval '59 days';
select is(retention_clean('1 day', null, null), 0, 'a day is taken as sixty');
update provider_events set received_at = now() - interval '61 days';
insert into outbox (kind, dedupe_key, order_id, state, payload) values ('dispute', 'dispute:dp_2', t.id(2), 'dead',
    '{"provider": "stripe", "dispute_id": "dp_2", "what": "fight", "evidence": {"customer_email": "diana@example.com"}}');
update outbox set created_at = now() - interval '61 days';
update tickets set state = 'solved', solved_at = now() - interval '61 days';
update searches set state = 'none', done_at = now() - interval '61 days' where state = 'open';
insert into runs (kind, started_at, finished_at, ok) select 'events', now() - interval '61 days', now() - interval '61 days', true from generate_series(1, 3);
create temp table old as select (select jsonb_agg(to_jsonb(e) order by e.event_id) from provider_events e) as events,
    (select jsonb_agg(to_jsonb(m) order by m.id) from outbox m) as outbox, (select count(*) from audit) as audit;
select is(retention_clean(null, null, null), 0, 'forever: nothing goes, whatever its age');
select results_eq($$ select (select jsonb_agg(to_jsonb(e) order by e.event_id) from provider_events e),
    (select jsonb_agg(to_jsonb(m) order by m.id) from outbox m), (select count(*) from audit) $$, 'select * from old', 'and all is as it was');
select ok(retention_clean('1 day', '40 d', '1 year') > 10, 'what is old goes');
select is(retention_clean('1 day', '40 d', '1 year'), 0, 'and then nothing is left to do');
select is((select count(*)::int from outbox where recipient not like '%@erased.invalid' or kind = 'mail' and payload <> '{}'), 0, 'from mails: addresses and words');
select is((select payload from outbox where dedupe_key = 'dispute:dp_2'), '{"provider": "stripe", "dispute_id": "dp_2", "what": "fight"}'::jsonb,
    'from what a bank was told: the evidence');
select is((select array[count(*) - 1, (select count(*) from tickets)] from outbox), (select array[outbox, tickets] from kept), 'not that they were there');
select is((select count(*)::int from provider_events where next_try_at is null), 0, 'events');
select is((select count(*)::int from runs), 1, 'runs, but for the last good one');
select is(t.books(), (select books from kept), 'and the books stay');
select t.settle(t.refund(2, 100, 'failed')) \g /dev/null
select is((select recipient || ' ' || state from outbox where dedupe_key = 'refund_failed:stripe:re_2'), 'diana@example.com pending',
    'a refund that comes back later: the customer hears, though the first letter is gone');
select * from finish();
rollback;
