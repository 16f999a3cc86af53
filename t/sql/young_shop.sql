-- A young shop that sells a lot at once: what was planned while the tables were small is
-- kept until somebody analyses them, and must not read all of them by then.
\ir helper.psql
begin;

-- What a purchase, its return, its mail and a visit to what was bought call, in turn;
-- %n is the number of the order, %c a customer's address, %o the order.
create temp table calls (turn int generated always as identity, call text);
insert into calls (call) values
    ('select t.placed(%n)'),
    ('select subpay.checkout_store(%o, ''cs_%n'', ''https://pay.example/'', now() + interval ''1 h'')'),
    ('select subpay.order_get(sha256(convert_to(''token %n'', ''UTF8'')))'),
    ('select subpay.order_by_id(%o)'),
    ('select t.says(t.paid(%n, ''{"credits": 5}''))'),
    ('select subpay.settle_many(array[t.paid(%n, ''{"credits": 5}'')], ''{webhook}'', ''{provider}'')'),
    ('select subpay.outbox_next()'),
    ('select subpay.outbox_sent(c.id, c.lease) from subpay.outbox_claim(t.id(0), 1, 30) c'),
    ('select subpay.session_open(t.account(%n), sha256(''%n''), interval ''1 d'')'),
    ('select subpay.session_get(sha256(''%n''))'),
    ('select subpay.account_used(t.account(%n))'),
    ('select subpay.account_login(%c)'),
    ('select subpay.entitlements_get(%c)'),
    ('select subpay.credits_get(%c, 10)'),
    ('select subpay.credit_refund(%c, 1, ''not used'', ''%n back'', ''api'')'),
    ('select subpay.credit_deduct(%c, 1, ''use'', ''%n'', ''api'')');

create function t.account(in_n int) returns uuid language plpgsql
set random_page_cost = 0  -- or this would be counted
as $$
begin
    return (select id from subpay.accounts where email = 'c' || in_n || '@example.com');
end
$$;

create function t.call(in_call text, in_n int) returns void language plpgsql as $$
begin
    execute replace(replace(replace(in_call, '%n', in_n::text), '%c',
        quote_literal('c' || in_n || '@example.com')), '%o', quote_literal(t.id(in_n)) || '::uuid');
end
$$;

-- Rows that were read one after another so far, in all tables that grow.
create function t.read_in_turn() returns bigint language sql as $$
    select sum(seq_tup_read)::bigint
      from pg_stat_xact_user_tables
     where schemaname = 'subpay' and relname not in ('settings', 'switches')
$$;

create function t.sell(in_from int, in_to int) returns void language sql as $$
    select t.call(c.call, n) from generate_series(in_from, in_to) n, calls c order by n, c.turn
$$;

create function t.counted(in_call text, in_n int) returns bigint language plpgsql as $$
declare
    before bigint := t.read_in_turn();
begin
    perform t.call(in_call, in_n);
    return t.read_in_turn() - before;
end
$$;

select plan((select count(*)::int from calls));
select t.sell(1, 8) \g /dev/null
analyze;
select t.sell(9, 300) \g /dev/null
select is(t.counted(c.call, 301), 0::bigint, format('by index: %s', c.call))
  from calls c order by c.turn;

select * from finish();
rollback;
