-- settle: what grants nothing. Money that does not match is a person's to decide, other
-- people's money is none of our business, and test money opens nothing in production.
\ir helper.psql
begin;
select plan(48);

-- Does not match: review, with a ticket that has an owner and a due time.
create function t.reviewed(in_n int, in_over jsonb, in_reason text, in_what text)
returns setof text language plpgsql
as $$
begin
    perform t.placed(in_n);
    return next is(t.says(t.paid(in_n, in_over)), 'review ' || in_reason, in_what || ': review');
    return next results_eq(
        format('select o.state, o.review_reason, o.next_ask_at, o.completed_at, o.payment_id,
                       p.payment_id, (select count(*)::int from subscriptions s where s.order_id = o.id),
                       (select string_agg(m.template, '' '') from outbox m
                         where m.order_id = o.id and m.kind = ''mail''
                           and m.recipient = o.email)
                  from orders o join payments p on p.order_id = o.id where o.id = %L', t.id(in_n)),
        format('values (''review'', %L, null::timestamptz, null::timestamptz, null::text, ''pi_%s'', 0, %L)',
               in_reason, in_n, case when in_over ->> 'amount' <> '0'
                                       or in_over ->> 'amount' is null then 'review' end),
        in_what || ': no access; told that money came, where any came; the payment is on the order');
    return next results_eq(
        format('select kind, state, owner, due_at, email from tickets where order_id = %L', t.id(in_n)),
        format('values (''review'', ''open'', ''support'', (select answers_at from support_turn(now())), ''c%s@example.com'')', in_n),
        in_what || ': a ticket, owned and due');
    return next is(t.says(t.paid(in_n, in_over || '{"event_id": "again"}')), 'already ' || in_reason,
        in_what || ': told again, nothing');
    delete from provider_events where event_id = 'again';
end
$$;
select t.reviewed(1, '{"amount": 24899}', 'amount', 'a cent short');
select t.reviewed(2, '{"amount": 24901}', 'amount', 'a cent over');
select t.reviewed(3, '{"currency": "EUR"}', 'currency', 'the right digits in another currency');
select t.reviewed(4, '{"product": "monthly"}', 'product', 'another product');
select t.reviewed(5, '{"price": 100}', 'price', 'another price in the metadata');
select t.reviewed(6, '{"amount": 0}', 'amount', 'nothing paid at all');
select is((select count(*) from tickets), 6::bigint, 'one ticket each, however often told');
select is((select count(*) from alerts where key like 'ticket:%'), 1::bigint,
    'and one alert for all of them: an outage is one incident');
select is((select count(*) from subscriptions), 0::bigint, 'nobody got access');

select is(t.says(t.paid(1, '{"payment_id": "pi_1b", "event_id": "e1b"}')), 'completed',
    'a payment that matches still completes an order in review');
select is((select state from tickets where order_id = t.id(1)), 'open',
    'whose ticket stays: the first payment must go back');
select is((select count(*) from ticket_messages m join tickets k on k.id = m.ticket_id
            where k.order_id = t.id(1) and m.body like '%completed by payment pi_1b%'),
    1::bigint, 'and says what has happened');

-- The other environment.
select t.placed(7) \g /dev/null
select is(t.says(t.paid(7, '{"mode": "live"}')), 'ignored mode', 'a live payment in the test environment');
select settings_store('{"mode": "live"}') \g /dev/null
select is(t.says(t.paid(7, '{"event_id": "e7test"}')), 'ignored mode', 'a test payment in production');
select is(t.state(7), 'pending', 'changes nothing, though an order of that mode is there');
select is((select count(*) from payments where payment_id = 'pi_7'), 0::bigint, 'and is no payment here');
select is(t.says(t.paid(7, '{"mode": "live", "event_id": "e7live"}')), 'review mode',
    'real money for a test order is a person''s');
select is((select reason from provider_events where event_id = 'e7test'), 'mode',
    'an ignored event says why');
select is(t.says(t.paid(7, '{"event_id": "e7test"}')), 'already mode', 'and is ignored once');
select settings_store('{"mode": "test"}') \g /dev/null

-- Other people's.
select t.world() as before \gset
select is(t.says(t.paid(20, '{"ours": false}')), 'ignored not_ours', 'a payment without our mark');
select is(t.says(t.paid(21, '{"site": "https://other.example"}')), 'ignored not_ours', 'another shop''s in the account');
select is(t.says(t.paid(22, '{"ours": false, "order_id": null, "checkout_id": null}')), 'ignored not_ours',
    'a payment that names no order');
select is(t.says(t.fact(23, 'payment.failed')), 'ignored order_unknown', 'a failure for an order that is gone');
select is(t.world(), :'before'::jsonb, 'leave nothing but their events');
select is(t.says(t.paid(24, '{"product": null}')), 'ignored unmatched', 'ours, but not what was bought');
select is((select kind from tickets where dedupe_key = 'unmatched:pi_24'), 'unmatched', 'is put before a person');

-- Another provider's fact for our order is a bug somewhere: kept, not applied.
select is(t.says(t.paid(7, '{"provider": "creem", "event_id": "e7c"}')), 'failed error', 'another provider''s payment');

-- A payment of another order.
select t.placed(8) \g /dev/null
select is(t.says(t.paid(8)), 'completed', 'order 8 is paid');
select t.placed(9) \g /dev/null
select is(t.says(t.paid(9, '{"payment_id": "pi_8"}')), 'failed error', 'one payment never settles two orders');
select is(t.state(9), 'pending', 'the second order is untouched');

select * from finish();
rollback;
