-- The ledger as the application uses it: once for each key, never below zero.
\ir helper.psql
create extension if not exists dblink schema public;
select plan(45);

create function t.deduct(in_amount bigint, in_key text, in_account text default 'c1@example.com',
                         in_reason text default 'export') returns text language sql
as $$ select concat_ws(' ', verdict, balance) from subpay.credit_deduct(in_account, in_amount, in_reason, in_key, 'app') $$;
create function t.give(in_amount bigint, in_key text, in_account text default 'c1@example.com') returns text language sql
as $$ select concat_ws(' ', verdict, balance) from subpay.credit_refund(in_account, in_amount, 'export', in_key, 'app') $$;
create function t.drift() returns bigint language sql
as $$ select count(*) from subpay.accounts a where a.credits <>
        (select coalesce(sum(amount), 0) from subpay.credit_transactions c where c.account_id = a.id) $$;

select t.placed(1, 100), t.placed(2, 5) \g /dev/null
select t.says(t.paid(1)), t.says(t.paid(2)) \g /dev/null

-- What it answers.
select is(t.deduct(30, 'k1'), 'booked 70', 'a deduction');
select is(t.deduct(30, 'k1'), 'again 70', 'sent again: its first answer');
select is(t.deduct(20, 'k2'), 'booked 50', 'another');
select is(t.deduct(30, 'k1'), 'again 70', 'the first answer, also after others');
select is((select count(distinct entry) from subpay.credit_deduct('c1@example.com', 30, 'export', 'k1', 'other')), 1::bigint, 'by whomever');
select is(t.deduct(31, 'k1'), 'key_used 70', 'another amount under the same key');
select is(t.deduct(30, 'k1', in_reason => 'other'), 'key_used 70', 'another reason');
select is(t.deduct(30, 'k1', 'c2@example.com'), 'key_used 70', 'another account');
select is(t.give(30, 'k1'), 'key_used 70', 'the other direction');
select is(t.deduct(51, 'k3'), 'insufficient 50', 'more than there is');
select is((select count(*) from credit_transactions where idempotency_key = 'k3'), 0::bigint, 'leaves no row');
select is(t.give(1, 'k4'), 'booked 51', 'given back');
select is(t.give(1, 'k4'), 'again 51', 'once');
select is(t.deduct(51, 'k3'), 'booked 0', 'what was refused may succeed later');
select is(t.deduct(1, 'k5'), 'insufficient 0', 'zero is the end');
select is(t.deduct(1, 'k6', 'C1@Example.COM'), 'insufficient 0', 'an address by any case');
select is(t.deduct(1, 'k7', 'nobody@example.com'), 'no_account', 'nobody has none');
select is(t.give(9007199254740992, 'k8'), 'too_much 0', 'a balance that JSON cannot carry');
select throws_ok($$ select t.deduct(0, 'k9') $$, 'P0001', null, 'nothing is no amount');
select throws_ok($$ select t.deduct(-5, 'k9') $$, 'P0001', null, 'nor is less');
select throws_ok($$ select t.give(-5, 'k9') $$, 'P0001', null, 'in both directions');
select throws_ok($$ select t.deduct(1, null) $$, 'P0001', null, 'no key, no entry');
select is(t.drift(), 0::bigint, 'the ledger sums to each balance');
select results_eq($$ select amount, balance_after, actor, order_id is null from credit_transactions
                      where account_id = (select id from accounts where email = 'c1@example.com') order by id $$,
    $$ values (100::bigint, 100::bigint, null, false), (-30, 70, 'app', true), (-20, 50, 'app', true),
              (1, 51, 'app', true), (-51, 0, 'app', true) $$, 'and tells its history');

-- Reading.
select results_eq($$ select email, balance, amount, balance_after from credits_get('C1@example.com', 2) $$,
    $$ values ('c1@example.com', 0::bigint, -51::bigint, 0::bigint), ('c1@example.com', 0, 1, 51) $$, 'the last entries, newest first');
select is((select reference from credits_get('c1@example.com', 20) where amount = 100), (select reference from orders where id = t.id(1)),
    'a purchase names its order');
insert into accounts (email) values ('empty@example.com');
select results_eq($$ select balance, entry from credits_get('empty@example.com', 20) $$, $$ values (0::bigint, null::bigint) $$, 'an account without entries');
select is_empty($$ select * from credits_get('nobody@example.com', 20) $$, 'no account, no row');
select results_eq($$ select email, credits, product, active, renews, status from entitlements_get('C2@example.com') $$,
    $$ values ('c2@example.com', 5::bigint, 'annual', true, false, 'active') $$, 'what a customer may use');
select is((select expires_at from entitlements_get('c2@example.com')), (select epoch_us(expires_at) from subscriptions where order_id = t.id(2)), 'and until when');
select results_eq($$ select email, product, active from entitlements_get('empty@example.com') $$,
    $$ values ('empty@example.com', null::text, null::boolean) $$, 'an account without a plan');
select is_empty($$ select * from entitlements_get('nobody@example.com') $$, 'nobody');
select t.says(t.refund(2, 24900, 'succeeded')) \g /dev/null
select results_eq($$ select credits, active, status from entitlements_get('c2@example.com') $$,
    $$ values (0::bigint, false, 'refunded') $$, 'a refund ends it');
update subscriptions set starts_at = now() - interval '2 years', expires_at = now() - interval '1 year' where order_id = t.id(1);
select results_eq($$ select active, status from entitlements_get('c1@example.com') $$, $$ values (false, 'ended') $$, 'so does its time');
update subscriptions set starts_at = now() + interval '1 day', expires_at = now() + interval '1 year' where order_id = t.id(1);
select results_eq($$ select active, status from entitlements_get('c1@example.com') $$, $$ values (false, 'scheduled') $$, 'and one may be still to come');

-- What a refund takes back, it takes back once, however it comes about.
select t.placed(3, 100) \g /dev/null
select is(t.says(t.paid(3)), 'completed', 'bought');
select t.give(50, 'gift', 'c3@example.com') \g /dev/null
select subpay.order_refund(o, p, 'tester') from subpay.orders o join subpay.payments p on p.order_id = o.id, generate_series(1, 2)
 where o.id = t.id(3) \g /dev/null
select is((select credits from accounts where email = 'c3@example.com'), 50::bigint, 'the gift stays');
select is(t.drift(), 0::bigint, 'and no balance moves without its entry');

-- Two sessions: the same key at the same moment, for one account and for two.
create function t.open(in_name text) returns text language sql
as $$
    select dblink_connect(in_name, format('dbname=%s host=%s port=%s user=%s', current_database(),
        split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_user))
$$;
create function t.answer(in_name text) returns text language plpgsql
as $$
declare
    answer text;
begin
    select r into answer from dblink_get_result(in_name, false) d (r text);
    perform dblink_get_result(in_name);
    return answer;
end
$$;
create function t.waits(in_name text) returns boolean language plpgsql
as $$
declare
    pid int;
begin
    for i in 1..2000 loop
        perform pg_stat_clear_snapshot();
        select a.pid into pid from pg_stat_activity a
         where cardinality(pg_blocking_pids(a.pid)) > 0 and a.datname = current_database();
        if found then
            return true;
        end if;
        perform pg_sleep(0.005);
    end loop;
    return false;
end
$$;
select t.give(10, 'fill1'), t.give(10, 'fill2', 'c2@example.com'), t.open('a'), t.open('b') \g /dev/null
select dblink_exec('a', 'begin') \g /dev/null
select is((select r from dblink('a', $$ select t.deduct(4, 'same') $$) d (r text)), 'booked 6', 'one is booked, not yet committed');
select dblink_send_query('b', $$ select t.deduct(4, 'same', 'c2@example.com') $$) \g /dev/null
select ok(t.waits('b'), 'the same key for another account waits');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'key_used 6', 'and is refused');
select dblink_exec('a', 'begin') \g /dev/null
select is((select r from dblink('a', $$ select t.deduct(5, 'last') $$) d (r text)), 'booked 1', 'one takes most of it');
select dblink_send_query('b', $$ select t.deduct(5, 'late') $$) \g /dev/null
select ok(t.waits('b'), 'another waits for the account');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'insufficient 1', 'and finds too little');
select is(t.drift(), 0::bigint, 'nothing has drifted');
select * from finish();
