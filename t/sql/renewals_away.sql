-- A plan that renews when money goes away: a further period is no second payment, and what
-- is paid while there is no access opens none.
\ir helper.psql
\ir renewals.psql

begin;
select plan(18);

create function t.ask(in_n int, in_more jsonb default '{}') returns jsonb language sql
as $$ select jsonb_build_object('reference', (select reference from orders where id = t.id(in_n)), 'actor', 'ana', 'reason', 'why') || in_more $$;
create function t.of(in_fact jsonb, in_payment text) returns jsonb language sql
as $$ select in_fact || jsonb_build_object('payment_id', in_payment) $$;
create function t.seconds(in_n int) returns text language sql
as $$
    select string_agg(p ->> 'payment_id', ' ')
      from jsonb_array_elements(desk_case((select reference from orders where id = t.id(in_n))) -> 'payments') p
     where (p ->> 'second')::boolean
$$;
create function t.twin(in_n int) returns jsonb language sql
as $$
    select t.period(in_n, 0, 'twin', jsonb_build_object('renewal_id', format('sub_%sb', in_n),
        'invoice_id', format('in_%sb', in_n), 'payment_id', format('pi_%sb', in_n),
        'charge_id', format('ch_%sb', in_n)))
$$;

-- A renewal is what was sold -----------------------------------------------------------------
select t.renewing(1) \g /dev/null
select t.says(t.period(1, k)) from generate_series(0, 2) k \g /dev/null
select is(t.seconds(1), null, 'the next periods are no second payment');
select is(desk_refund(t.ask(1, '{"duplicate": true}')) ->> 'verdict', 'no_payment', 'nor sent back as one');
select t.says(t.of(t.refund(1, 900, 'succeeded', null, 're_1'), 'pi_1_1')) \g /dev/null
select is((select template from outbox where dedupe_key = 'refund_mail:stripe:re_1'), 'refund',
    'one of them sent back: nobody is told to have paid twice');

-- That of a second renewal, by an accident, is one too many.
select t.says(t.twin(1)) \g /dev/null
select is(t.seconds(1), 'pi_1b', 'a second renewal is one too many');
select is(desk_refund(t.ask(1, '{"duplicate": true}')) ->> 'verdict', 'asked', 'it is sent back');
select is((select payload ->> 'payment_id' from outbox where kind = 'refund' and order_id = t.id(1)), 'pi_1b',
    'and no other');

-- Charged while access is withheld ------------------------------------------------------------
select t.renewing(2, 10) \g /dev/null
select t.says(t.period(2, 0)), t.says(t.of(t.dispute(2, 'lost', t.ago(9)), 'pi_2_0')) \g /dev/null
select is((select status from subscriptions where order_id = t.id(2)), 'suspended', 'the bank took the purchase back');
select id as account from accounts where email = 'c2@example.com' \gset
select reference as ref from orders where id = t.id(2) \gset
select t.says(t.renewal(2, 'stopping')) \g /dev/null
select is((select verdict from renewal_want(:'account', :'ref', 'resume', 'customer')), 'ended', 'nothing to take up again');
select is(t.says(t.period(2, 1)), 'updated suspended', 'charged all the same, before that was stopped');
select is(t.says(t.period(2, 1, 'again')), 'already', 'told twice');
select results_eq($$ select k.kind, k.subject from tickets k
                      where k.order_id = t.id(2) and k.kind = 'renewed_after_refund' $$,
    $$ values ('renewed_after_refund', 'A plan was paid while it is disputed') $$, 'a person looks at it');
select is_empty($$ select * from outbox where order_id = t.id(2) and template = 'renewed' $$, 'nobody is told that it goes on');
select is_empty($$ select * from credit_transactions where order_id = t.id(2) and reason like 'renewal:%' $$, 'no credits');

-- Sent back: it ended, whatever the provider still calls it.
select t.renewing(3) \g /dev/null
select t.says(t.period(3, 0)), t.says(t.renewal(3, 'stopping')),
       t.says(t.of(t.refund(3, 900, 'succeeded'), 'pi_3_0')) \g /dev/null
select id as account from accounts where email = 'c3@example.com' \gset
select reference as ref from orders where id = t.id(3) \gset
select is((select verdict from renewal_want(:'account', :'ref', 'resume', 'customer')), 'ended', 'nor after a refund');

-- Wanted again, and not yet told to the provider, when the money goes back.
create function t.wants(in_n int) returns text language sql
as $$ select state || ' ' || coalesce(wanted, '-') || ' ' || coalesce(wanted_by, '-') from subpay.renewals where renewal_id = 'sub_' || in_n $$;
select t.renewing(4) \g /dev/null
select t.says(t.period(4, 0)), t.says(t.renewal(4, 'stopping')) \g /dev/null
select verdict from renewal_want((select id from accounts where email = 'c4@example.com'),
    (select reference from orders where id = t.id(4)), 'resume', 'customer') \g /dev/null
select is(t.wants(4), 'stopping resume customer', 'taken up again');
select t.says(t.of(t.refund(4, 900, 'succeeded'), 'pi_4_0')) \g /dev/null
select is(t.wants(4), 'stopping - -', 'not after the money went back');
select t.says(t.renewal(4, 'active') - 'event_id') \g /dev/null
select is(t.wants(4), 'active stop system', 'nor where that was on its way already');

-- Both payments of an order went back: nobody hears that access stays as it is.
select t.renewing(5) \g /dev/null
select t.says(t.period(5, 0)), t.says(t.twin(5)), desk_refund(t.ask(5, '{"duplicate": true}')),
       t.says(t.of(t.refund(5, 900, 'succeeded', null, 're_5'), 'pi_5_0')),
       t.says(t.of(t.refund(5, 900, 'succeeded', null, 're_5b'), 'pi_5b')) \g /dev/null
select results_eq($$ select dedupe_key, template from outbox where dedupe_key like 'refund_mail:stripe:re_5%' order by 1 $$,
    $$ values ('refund_mail:stripe:re_5', 'refund'), ('refund_mail:stripe:re_5b', 'refund') $$,
    'both sent back: nobody is told that access stays');

select * from finish();
rollback;
