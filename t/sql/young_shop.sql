-- A young shop that sells a lot at once: what was planned while the tables were small is
-- kept until somebody analyses them, and must not read all of them by then.
\ir helper.psql
begin;
select plan(2);

-- Rows that the calls read one after another, in all tables that grow.
create function t.read_in_turn() returns bigint language sql as $$
    select sum(seq_tup_read)::bigint
      from pg_stat_xact_user_tables
     where schemaname = 'subpay' and relname <> 'settings'
$$;

select t.says(t.paid(n)) from (select n, t.placed(n) from generate_series(1, 8) n) o \g /dev/null
select count(*) from generate_series(9, 16) n, lateral (select t.placed(n)) o,
       subpay.settle_many(array[t.paid(n)], '{webhook}', '{provider}') \g /dev/null
analyze subpay.orders, subpay.payments, subpay.accounts, subpay.subscriptions,
        subpay.provider_events, subpay.outbox, subpay.audit;
select t.says(t.paid(n)) from (select n, t.placed(n) from generate_series(17, 24) n) o \g /dev/null
select count(*) from generate_series(25, 32) n, lateral (select t.placed(n)) o,
       subpay.settle_many(array[t.paid(n)], '{webhook}', '{provider}') \g /dev/null
select t.says(t.paid(n)) from (select n, t.placed(n) from generate_series(33, 400) n) o \g /dev/null
select t.placed(401), t.placed(402) \g /dev/null

select t.read_in_turn() as before \gset
select t.says(t.paid(401)) \g /dev/null
select is(t.read_in_turn() - :before, 0::bigint, 'settle finds each row by an index');
select t.read_in_turn() as before \gset
select count(*) from subpay.settle_many(array[t.paid(402)], '{webhook}', '{provider}') \g /dev/null
select is(t.read_in_turn() - :before, 0::bigint, 'and so does settle_many');

select * from finish();
rollback;
