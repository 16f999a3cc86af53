-- Two sessions at once: one wins, the other learns that it is done. Nothing here waits
-- for a time: the second session is seen waiting for a lock before the first goes on.
\ir helper.psql
create extension if not exists dblink schema public;
select plan(39);

create function t.open(in_name text) returns text language sql
as $$
    select dblink_connect(in_name, format('dbname=%s host=%s port=%s user=%s', current_database(),
        split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_user))
$$;
create function t.run(in_name text, in_sql text) returns text language plpgsql
as $$
declare
    answer text;
begin
    select r into answer from dblink(in_name, in_sql) d (r text);
    return answer;
end
$$;
-- Send, and return once that session waits for a lock (or has answered already).
create function t.send(in_name text, in_sql text) returns text language plpgsql
as $$
declare
    pid constant int := t.run(in_name, 'select pg_backend_pid()');
begin
    perform dblink_send_query(in_name, in_sql);
    for i in 1..2000 loop
        perform pg_stat_clear_snapshot();
        if cardinality(pg_blocking_pids(pid)) > 0 then
            return 'waits';
        elsif dblink_is_busy(in_name) = 0 then
            return 'answered';
        end if;
        perform pg_sleep(0.005);
    end loop;
    return 'busy';
end
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
create function t.call(in_fact jsonb, in_via text) returns text language sql
as $$ select format('select t.says(%L, %L)', in_fact, in_via) $$;
-- How often order in_n was completed, granted, welcomed.
create function t.counts(in_n int) returns int[] language sql
as $$
    select array[(select count(*) from subpay.audit where order_id = t.id(in_n) and action = 'order.completed'),
                 (select count(*) from subpay.subscriptions where order_id = t.id(in_n)),
                 (select count(*) from subpay.outbox where order_id = t.id(in_n) and kind = 'mail')]::int[]
$$;

select t.open('a'), t.open('b') \g /dev/null
select t.placed(n) from generate_series(1, 6) n \g /dev/null

-- One event, twice at once.
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', t.call(t.paid(1), 'webhook')), 'completed', 'a settles');
select is(t.send('b', t.call(t.paid(1), 'webhook')), 'waits', 'b waits for it with the same event');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'already', 'and learns that it is done');
select is(t.counts(1), '{1,1,1}', 'once');

-- Two roads, two events of one payment.
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', t.call(t.paid(2), 'return')), 'completed', 'the return page settles');
select is(t.send('b', t.call(t.paid(2, '{"event_id": "evt_2_charge"}'), 'reconcile')), 'waits', 'the sweep waits with another event');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'already', 'and learns that it is done');
select is(t.counts(2), '{1,1,1}', 'once');

-- The first does not make it.
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', t.call(t.paid(3), 'webhook')), 'completed', 'a settles');
select is(t.send('b', t.call(t.paid(3), 'webhook')), 'waits', 'b waits');
select dblink_exec('a', 'rollback') \g /dev/null
select is(t.answer('b'), 'completed', 'a is lost: b does it');
select is(t.counts(3), '{1,1,1}', 'once');

-- An order that is gone is adopted once.
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', t.call(t.paid(50), 'webhook')), 'completed', 'a adopts');
select is(t.send('b', t.call(t.paid(50, '{"event_id": "evt_50_charge"}'), 'return')), 'waits', 'b waits');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'already', 'and finds the order');
select is(t.counts(50), '{1,1,1}', 'once');
select is((select count(*) from tickets where kind = 'adopted'), 1::bigint, 'support is told once');

-- An event of no interest, twice at once.
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', t.call(t.paid(51, '{"ours": false}'), 'webhook')), 'ignored not_ours', 'a ignores');
select is(t.send('b', t.call(t.paid(51, '{"ours": false}'), 'webhook')), 'waits', 'b waits at the event''s key');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'already not_ours', 'and has nothing to do');

-- Two orders of one customer: the second sees the first.
update orders set email = 'twin@example.com' where id in (t.id(4), t.id(5));
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', t.call(t.paid(4), 'webhook')), 'completed', 'a completes one order');
select is(t.send('b', t.call(t.paid(5), 'webhook')), 'waits', 'b waits for the account');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'completed', 'both are completed');
select is((select count(*) from tickets where kind = 'duplicate' and order_id = t.id(5)), 1::bigint, 'and the double is noticed');

-- A double click.
select format($$ select verdict from subpay.order_place(%L, %L, sha256(%L::bytea), 'stripe', 'test', 'd@example.com', null,
    'annual', 'A', 24900, 'USD', '1 year', '1y', 0, false, 'x', '24 hours') $$, t.id(n), t.id(99), n) as "place"
  from generate_series(60, 60) n \gset one_
select format($$ select verdict from subpay.order_place(%L, %L, sha256(%L::bytea), 'stripe', 'test', 'd@example.com', null,
    'annual', 'A', 24900, 'USD', '1 year', '1y', 0, false, 'x', '24 hours') $$, t.id(n), t.id(99), n) as "place"
  from generate_series(61, 61) n \gset two_
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', :'one_place'), 'placed', 'a form is sent');
select is(t.send('b', :'two_place'), 'waits', 'and sent again meanwhile');
select dblink_exec('a', 'commit') \g /dev/null
select is(t.answer('b'), 'again', 'it meets the first order');

-- The outbox: two workers never hold the same row, and none is overlooked.
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', 'select count(*) from subpay.outbox_claim(gen_random_uuid(), 2, 60)'), '2', 'a takes two');
select is(t.run('b', 'select count(*) from subpay.outbox_claim(gen_random_uuid(), 100, 60)')::int,
    (select count(*)::int - 2 from outbox), 'b takes the others without waiting');
select dblink_exec('a', 'commit') \g /dev/null
select ok(outbox_next() > epoch_us(now() + interval '30 s'), 'all are taken: look again when the leases end');
select dblink_exec('a', 'begin') \g /dev/null
select is(t.run('a', t.call(t.paid(6), 'webhook')), 'completed', 'a queues a mail, and has not committed');
select ok(outbox_next() < epoch_us(now() + interval '1 s'), 'look again at once: it may have been in flight');
select dblink_exec('a', 'commit') \g /dev/null
select ok(outbox_next() <= epoch_us(now()), 'now it is there');

-- One leader.
select is(t.run('a', 'select subpay.leader_try()'), 't', 'one leads');
select is(t.run('b', 'select subpay.leader_try()'), 'f', 'the other does not');
select dblink_disconnect('a') \g /dev/null
do $$ begin
    for i in 1..1000 loop
        exit when t.run('b', 'select subpay.leader_try()') = 't';
        perform pg_sleep(0.005);
    end loop;
end $$;
select is(t.run('b', 'select subpay.leader_try()'), 't', 'until the first is gone');

-- All roads at once, crosswise, single and in batches: no deadlock, one effect each.
create procedure t.storm(in_seed int) language plpgsql
as $$
declare
    fact jsonb;
    batch jsonb[];
begin
    perform setseed(in_seed / 100.0);
    for round in 1..4 loop
        for fact in select t.paid(100 + n, jsonb_build_object('event_id', format('evt_%s_%s', n, e),
                                                              'card_last4', e::text))
                      from generate_series(1, 15) n cross join generate_series(1, 2) e
                     order by random() loop
            if random() < 0.5 then
                perform subpay.settle(fact, 'webhook', 'storm');
                commit;
            else
                batch := batch || fact;
            end if;
            if cardinality(batch) >= 5 then
                perform subpay.settle_many(batch, array_fill('replay'::text, array[5]), array_fill('storm'::text, array[5]));
                commit;
                batch := '{}';
            end if;
        end loop;
    end loop;
end
$$;
select t.placed(100 + n, 1, 'storm' || n % 4 || '@example.com') from generate_series(1, 15) n \g /dev/null
do $$ begin for n in 1..6 loop
    perform t.open('s' || n);
    perform dblink_send_query('s' || n, format('call t.storm(%s)', n));
end loop; end $$;
create function t.outcome(in_name text) returns text language plpgsql
as $$
declare
    answer text;
begin
    select r into answer from dblink_get_result(in_name) d (r text);
    return answer;
exception when others then
    return sqlerrm;
end
$$;
select is(array_agg(distinct t.outcome('s' || n)), '{CALL}', 'six sessions, each fact many times: no error')
  from generate_series(1, 6) n;
select is((select array_agg(distinct t.counts(100 + n)) from generate_series(1, 15) n), array[[1,1,1]], 'each order once');
select is((select sum(credits) from accounts where email like 'storm%'), 15::numeric, 'each credit once');

select * from finish();
