-- The checker is checked: in a database where all is well t/invariants.sql is silent,
-- and one planted corruption for each invariant turns exactly that one red.
\ir helper.psql
\ir renewals.psql
select plan(39);

-- A shop with a bit of everything, an hour ago.
select run_begin('events', null) as run \gset
select run_end(:run, true, '{}', null) \g /dev/null
select t.placed(n, 5), t.says(t.paid(n)) from generate_series(1, 3) n \g /dev/null
select t.placed(4), t.says(t.paid(4, '{"amount": 1}')) \g /dev/null
select t.placed(5), t.says(t.paid(5)), t.says(t.refund(5, 24900, 'succeeded')) \g /dev/null
select t.placed(6), t.says(t.paid(6)), t.says(t.dispute(6, 'open')) \g /dev/null
select t.placed(7), t.says(t.fact(7, 'checkout.expired')) \g /dev/null
select t.says(t.paid(8, '{"ours": false}')) \g /dev/null
select event_keep('stripe', 'evt_raw', '\x00', 'not JSON') \g /dev/null
select t.placed(n, 0, 'twin@example.com'), t.says(t.paid(n)) from generate_series(10, 11) n \g /dev/null
select t.placed(12), t.says(t.paid(12)), t.says(t.paid(12, '{"payment_id": "pi_12b", "event_id": "e12b"}')) \g /dev/null
select t.placed(13), t.says(t.paid(13, '{"kind": "payment.authorised"}')) \g /dev/null
select watermark_set('events', now(), null) \g /dev/null
update outbox set state = 'sent', sent_at = now() where kind <> 'capture';
set session_replication_role = replica;
update orders set completed_at = completed_at - interval '1 hour', paid_at = paid_at - interval '1 hour' where completed_at is not null;
set session_replication_role = origin;

-- Which invariants are broken, by the file's own statements.
\set invariants `cat t/invariants.sql`
select string_agg(format('select invariant from (%s) i', q), ' union all ') as red
  from regexp_split_to_table(regexp_replace(:'invariants', '--[^\n]*', '', 'g'), ';') q
 where q ~ 'select' \gset
select format('create function t.red() returns text[] language sql as $f$
    select array_agg(distinct invariant) from (%s) r $f$', :'red') as make \gset
:make;

select t.renewing(30, 5) \g /dev/null
select t.says(t.period(30, 0)), t.says(t.period(30, 1)), t.says(t.charge(30, 1)) \g /dev/null
select is(t.red(), null, 'all is well: silent');
select is((select count(*) from regexp_matches(:'invariants', 'select ''I\d+'' as', 'g')), 14::bigint,
    'fourteen statements look at them');

create function t.planted(in_invariant text, in_what text, variadic in_sql text[]) returns text language plpgsql
as $$
declare
    seen text[];
    one text;
begin
    begin
        set local session_replication_role = replica;
        foreach one in array in_sql loop
            execute one;
        end loop;
        seen := t.red();
        raise sqlstate 'UNDO1';
    exception when sqlstate 'UNDO1' then null;
    end;
    set local session_replication_role = origin;
    return is(seen, array[in_invariant], in_invariant || ': ' || in_what);
end
$$;
select t.planted('I1', 'a payment without an order', 'update payments set order_id = null where payment_id = ''pi_12b''');
select t.planted('I1', 'a payment whose order took nothing in',
    'insert into payments (provider, payment_id, order_id, mode, amount, currency) values (''stripe'', ''x'', t.id(7), ''test'', 24900, ''USD'')');
select t.planted('I1', 'a review that nobody looks after', 'update tickets set state = ''solved'', solved_at = now() where order_id = t.id(4)');
select t.planted('I1', 'refunded, and another payment of it is still here', 'update tickets set state = ''solved'', solved_at = now() where order_id = t.id(12)',
    'update orders set state = ''refunded'' where id = t.id(12)', 'update payments set amount_refunded = amount where payment_id = ''pi_12''',
    'update subscriptions set status = ''refunded'' where order_id = t.id(12)');
select t.planted('I1', 'money held, and nobody takes it', 'delete from outbox where kind = ''capture''',
    'update payments set created_at = now() - interval ''10 min''');
select t.planted('I1', 'money held beyond its time', 'update payments set hold_until = now() - interval ''2 hours'' where payment_id = ''pi_13''');
select t.planted('I1', 'called held, and taken', 'update payments set state = ''taken'' where payment_id = ''pi_13''');
select t.planted('I1', 'completed on money that was let go', 'update payments set state = ''released'' where payment_id = ''pi_13''',
    'update subscriptions set status = ''ended'' where order_id = t.id(13)');
select t.planted('I2', 'completed, and nothing granted', 'delete from subscriptions where order_id = t.id(1)');
select t.planted('I2', 'a year that is a month', 'update subscriptions set expires_at = starts_at + interval ''1 month'' where order_id = t.id(1)');
select t.planted('I2', 'refunded, and access goes on', 'update subscriptions set status = ''active'' where order_id = t.id(5)');
select t.planted('I2', 'renewed, and no longer for it', 'update subscriptions set expires_at = starts_at + interval ''31 days'' where order_id = t.id(30)');
select t.planted('I2', 'a second renewal that charges on', 'update renewals set extra = true');
select t.planted('I7', 'a payment more than there are periods',
    'insert into payments (provider, payment_id, order_id, mode, amount, currency, created_at) values (''stripe'', ''x'', t.id(30), ''test'', 900, ''USD'', now() - interval ''10 min'')');
select t.planted('I8', 'a period called processed, and not there', 'update periods set invoice_id = ''x'' where invoice_id = ''in_30_1''');
select t.planted('I3', 'no welcome', 'delete from outbox where order_id = t.id(1)');
select t.planted('I3', 'two welcomes', 'insert into outbox (kind, template, dedupe_key, order_id, recipient, state, sent_at) values (''mail'', ''recovered'', ''x'', t.id(1), ''a@b'', ''sent'', now())');
select t.planted('I4', 'access after a lost dispute', 'update disputes set status = ''lost''');
select t.planted('I4', 'access on money that went back', 'update payments set amount_refunded = amount where payment_id = ''pi_2''');
select t.planted('I5', 'refunded more than was paid',
    'insert into refunds (provider, refund_id, payment_id, amount, status, said_at) values (''stripe'', ''x'', ''pi_1'', 24901, ''succeeded'', now())');
select t.planted('I6', 'a balance from nowhere', 'update accounts set credits = credits + 1 where email = ''c1@example.com''');
select t.planted('I6', 'an entry that was changed', 'update credit_transactions set balance_after = 6 where order_id = t.id(2)');
select t.planted('I6', 'a period without its credits, and its money is ours', 'update periods set credits_taken = 5 where invoice_id = ''in_30_1''');
select t.planted('I7', 'bought twice, and nobody asked', 'delete from tickets where kind = ''duplicate'' and order_id = t.id(11)');
select t.planted('I7', 'paid twice, and nobody asked', 'delete from tickets where kind = ''duplicate'' and order_id = t.id(12)',
    'update payments set created_at = now() - interval ''10 min''');
select t.planted('I8', 'parked, and nobody told', 'delete from tickets where kind = ''unreadable''');
select t.planted('I8', 'failed, and nobody tries again',
    'update provider_events set state = ''failed'', next_try_at = now() - interval ''1 hour'' where event_id = ''evt_1_payment.succeeded''');
select t.planted('I9', 'completed twice', 'insert into audit (actor, action, order_id) values (''tester'', ''order.completed'', t.id(1))');
select t.planted('I10', 'completed by nobody', 'delete from audit where order_id = t.id(1)');
select t.planted('I10', 'a refund that nobody decided', 'insert into outbox (kind, dedupe_key, order_id, state, sent_at, payload)
    values (''refund'', ''planted'', t.id(1), ''sent'', now(), ''{"payment_id": "pi_1"}'')');
select t.planted('I10', 'restored, and it is not', 'insert into audit (actor, action, order_id) values (''system'', ''order.refunded'', t.id(1))',
    'insert into audit (actor, action, order_id) values (''system'', ''order.restored'', t.id(1))', 'update orders set state = ''refunded'' where id = t.id(1)',
    'update subscriptions set status = ''refunded'' where order_id = t.id(1)');
select t.planted('I5', 'decided twice', 'insert into outbox (kind, dedupe_key, order_id, payload) select ''refund'', ''planted '' || n, t.id(1),
    ''{"provider": "stripe", "payment_id": "pi_1", "why": "unasked"}'' from generate_series(1, 2) n');
select t.planted('I10', 'a row without its effect', 'insert into audit (actor, action, order_id) values (''ana'', ''order.refunded'', t.id(7))');
select t.planted('I12', 'dead, and nobody told', 'update outbox set state = ''dead'', sent_at = null where order_id = t.id(1)');
select t.planted('I13', 'a watermark in the future', 'update watermarks set at = now() + interval ''1 day''');
select t.planted('I14', 'no good run, and silence', 'update runs set finished_at = now() - interval ''10 min''', 'update alerts set closed_at = now()');
select t.planted('I14', 'not one good run since the first began', 'update runs set ok = false, started_at = now() - interval ''10 min''', 'update alerts set closed_at = now()');

select * from finish();
