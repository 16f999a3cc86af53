-- renewals_any_order: checkout, invoices, payments, refunds and the subscription's own
-- state, told in every order and each of them twice, end in the same state.
\ir helper.psql
\ir renewals.psql

begin;
select plan(12);
select t.renewing(1, 10) \g /dev/null

select is(count(*), 1::bigint, 'the purchase: checkout, invoice, intent, charge and subscription in each of '
       || sum(times) || ' orders, each twice, end alike')
  from t.permuted('{}', array[t.period(1, 0, 'session'), t.period(1, 0), t.charge(1, 0),
                              t.charge(1, 0, 'intent'), t.renewal(1, 'active')]);
select is(count(*), 1::bigint, 'also where the repeats come at the end')
  from t.permuted('{}', array[t.period(1, 0, 'session'), t.period(1, 0), t.charge(1, 0),
                              t.charge(1, 0, 'intent'), t.renewal(1, 'active')], true);
select is((select (ending -> 'order' ->> 'state') || jsonb_array_length(ending -> 'periods')
              || jsonb_array_length(ending -> 'payments') || jsonb_array_length(ending -> 'mails')
             from t.permuted('{}', array[t.period(1, 0, 'session'), t.period(1, 0), t.charge(1, 0)])),
    'completed111', 'namely with one completion, one period, one payment and one mail');

select is(count(*), 1::bigint, 'a year''s course: two periods, charge, stop and end in each of '
       || sum(times) || ' orders end alike')
  from t.permuted(array[t.period(1, 0)], array[t.period(1, 1), t.charge(1, 1), t.period(1, 2),
        t.renewal(1, 'active', t.ago(9)), t.renewal(1, 'stopping', t.ago(8)), t.renewal(1, 'ended', t.ago(7))]);
select is(count(*), 1::bigint, 'periods and the refund of one, in each order')
  from t.permuted(array[t.period(1, 0), t.period(1, 1)], array[t.period(1, 2), t.charge(1, 1),
        t.renewal(1, 'active', t.ago(9)),
        t.refund(1, 900, 'pending', t.ago(6), 're_9') || '{"payment_id": "pi_1_1"}',
        t.refund(1, 900, 'succeeded', t.ago(5), 're_9') || '{"payment_id": "pi_1_1"}']);

-- Which rows the ledger has depends on whether a refund was ever believed; what they
-- come to does not, nor does access.
create function t.held(in_ending jsonb) returns int language sql
as $$ select sum((c ->> 1)::int) from jsonb_array_elements(in_ending -> 'credits') c $$;
create function t.refunded(in_status text, in_id text default 're_1') returns jsonb language sql
as $$ select t.refund(1, 900, in_status, null, in_id) || '{"payment_id": "pi_1_1"}' $$;
create function t.gone() returns jsonb language sql
as $$ select t.charge(1, 1, 'refunded') || '{"amount_refunded": 900}' $$;
select is(array_agg(distinct ending -> 'credits'), array['[["purchase", 10], ["renewal:in_1_1", 10], ["renewal_refund:in_1_1", -10]]'::jsonb],
       'a renewal with credits and its refund, in each of ' || sum(times) || ' orders: one row back')
  from t.permuted(array[t.period(1, 0)], array[t.period(1, 1), t.charge(1, 1), t.gone(),
        t.refunded('pending'), t.refunded('succeeded')]);
select is((count(distinct ending -> 'access'), array_agg(distinct t.held(ending))), (1::bigint, array[20]), 'a refund that failed, in each of '
       || sum(times) || ' orders: nothing is missing')
  from t.permuted(array[t.period(1, 0)], array[t.period(1, 1), t.charge(1, 1),
        t.refunded('pending'), t.refunded('succeeded'), t.refunded('failed')]);
select is((count(distinct ending -> 'access'), array_agg(distinct t.held(ending))), (1::bigint, array[10]), 'failed and made again, in each of '
       || sum(times) || ' orders: taken back once')
  from t.permuted(array[t.period(1, 0)], array[t.period(1, 1), t.refunded('succeeded'),
        t.refunded('failed'), t.refunded('succeeded', 're_2')], true);
select is((count(distinct ending -> 'access'), array_agg(distinct t.held(ending))), (1::bigint, array[20]), 'lost and won after all, in each of '
       || sum(times) || ' orders: nothing is missing')
  from t.permuted(array[t.period(1, 0)], array[t.period(1, 1), t.charge(1, 1),
        t.dispute(1, 'open', t.ago(9)) || '{"payment_id": "pi_1_1"}',
        t.dispute(1, 'lost', t.ago(8)) || '{"payment_id": "pi_1_1"}',
        t.dispute(1, 'won', t.ago(7)) || '{"payment_id": "pi_1_1"}']);

-- A decline is told while it matters and not once it is paid, so mails may differ; the
-- access, the money and the rows may not.
select is(count(distinct ending - 'mails'), 1::bigint, 'declined twice, then paid, in each of '
       || sum(times) || ' orders')
  from t.permuted(array[t.period(1, 0)], array[t.declined(1, 1, 1), t.declined(1, 1, 2), t.period(1, 1),
        t.renewal(1, 'active', t.ago(9)), t.charge(1, 1)]);
-- Which payment completed the order is whoever came first; all else is the same.
select is(count(distinct (ending - 'mails') #- '{order,payment_id}' #- '{credits}'), 1::bigint,
       'the purchase and its renewal, in each of ' || sum(times) || ' orders')
  from t.permuted('{}', array[t.period(1, 0, 'session'), t.period(1, 0), t.period(1, 1),
        t.charge(1, 1), t.renewal(1, 'active')]);
select is((select count(*)::int from orders where state <> 'pending'), 0, 'and all of it was undone');
select * from finish();
rollback;
