-- The outbox: at least once, one at a time, never lost, never for ever at once.
\ir helper.psql
begin;
select plan(44);

select t.placed(n), t.says(t.paid(n)) from generate_series(1, 3) n \g /dev/null
\set me '''11111111-1111-4111-8111-111111111111'''
\set other '''22222222-2222-4222-8222-222222222222'''

-- Claims.
create temp table mine as select * from outbox_claim(:me, 2, 60);
select is((select count(*) from mine), 2::bigint, 'a worker takes as many as it wants');
select results_eq('select kind, template, attempts from mine', $$ values ('mail', 'confirmation', 1), ('mail', 'confirmation', 1) $$, 'each an attempt');
select is((select count(distinct lease) from mine), 2::bigint, 'each with a lease of its own');
select is((select count(*) from outbox where message_id is null), 0::bigint, 'and a Message-ID that stays');
create temp table theirs as select * from outbox_claim(:other, 10, 60);
select is((select count(*) from theirs), 1::bigint, 'another worker gets the rest');
select is((select count(*) from outbox_claim(:other, 10, 60)), 0::bigint, 'and then nothing');
select ok(outbox_next() < epoch_us(now() + interval '1 min'), 'soon again: this transaction has queued something');

-- Reports, fenced by the lease.
select is(outbox_sent(id, gen_random_uuid()), false, 'a stranger cannot report') from theirs;
select is(outbox_sent(id, lease), true, 'who holds the lease can') from theirs;
select is(outbox_sent(id, lease), false, 'once') from theirs;
select results_eq('select o.state, o.sent_at, o.lease from outbox o join theirs using (id)',
    $$ values ('sent', now(), null::uuid) $$, 'it is sent');

-- A worker that was asleep past its lease.
update outbox set next_try_at = now() - interval '1 s', leased_until = now() - interval '1 s' where id in (select id from mine);
create temp table taken as select * from outbox_claim(:other, 10, 60);
select is((select count(*) from taken), 2::bigint, 'a lease that ran out is taken over');
select is((select attempts from taken limit 1), 2, 'as another attempt');
select results_eq('select message_id from taken order by id', 'select message_id from mine order by id', 'under the same Message-ID');
select is(outbox_sent(id, lease), false, 'the sleeper''s report is refused') from mine;
select is(outbox_retry(id, lease, 'late'), 'lost', 'so is its failure') from mine limit 1;
select is(outbox_dead(id, lease, 'late'), false, 'and its verdict') from mine limit 1;

-- Back-off.
create temp table waits (attempt int, s numeric);
create temp table one as select * from taken order by id limit 1;
do $$
declare
    row record;
begin
    for n in 2..14 loop
        perform outbox_retry(id, lease, '451 later') from one;
        insert into waits select n, extract(epoch from o.next_try_at - now()) from outbox o join one using (id);
        update outbox set next_try_at = now() where id = (select id from one);
        delete from one;
        insert into one select * from outbox_claim(gen_random_uuid(), 1, 60);
    end loop;
end
$$;
select ok(s between 0.75 * want and 1.25 * want, format('attempt %s waits about %s s', attempt, want))
  from waits join (values (2, 20), (3, 40), (9, 2560), (10, 3600), (14, 3600)) w (a, want) on a = attempt order by 1;
select isnt((select count(distinct s - round(s)) from waits), 1::bigint, 'with jitter');
select is((select last_error from outbox join one using (id)), '451 later', 'the error is kept');

-- Three days.
update outbox set created_at = now() - interval '71 hours' where id = (select id from one);
select is(outbox_retry(id, lease, '451 later'), 'pending', 'not given up before three days') from one;
update outbox set next_try_at = now(), created_at = now() - interval '73 hours' where id = (select id from one);
create temp table last as select * from outbox_claim(:me, 1, 60);
select is(outbox_retry(id, lease, '451 later'), 'dead', 'then it is') from last;
select results_eq('select o.state, k.kind, k.state, k.email, k.order_id from outbox o join last using (id) join tickets k on k.dedupe_key = ''dead_mail:'' || o.id',
    'select ''dead'', ''dead_mail'', ''open'', recipient, order_id from last', 'and a person is told');
select is((select level from alerts where key = 'ticket:dead_mail'), 'today', 'with the next digest');

-- A hard bounce.
create temp table bounced as select * from taken order by id desc limit 1;
select is(outbox_dead(id, lease, '550 no such user'), true, 'a hard bounce ends it at once') from bounced;
select is((select count(*) from tickets where kind = 'dead_mail'), 2::bigint, 'with its own ticket');

-- Alerts leave too, and do not breed.
select alert_raise('disk', 'page', 'The disk is full', null) \g /dev/null
update outbox set next_try_at = now() where kind = 'alert';
create temp table alarm as select * from outbox_claim(:me, 10, 60);
select results_eq('select kind, template, payload ->> ''key'' from alarm', $$ values ('alert', 'page', 'disk') $$, 'the alert is due');
select is(outbox_sent(id, lease), true, 'it leaves') from alarm;
select is((select told_at from alerts where key = 'disk'), now(), 'which the alert knows');
select is(alert_raise('db', 'page', 'The database is slow', null), true, 'an alert is raised');
select is(alert_raise('db', 'page', 'The database is slow', '{"ms": 9}'), false, 'and again');
select results_eq($$ select count, detail from alerts where key = 'db' $$, $$ values (2, '{"ms": 9}'::jsonb) $$, 'is counted');
update outbox set next_try_at = now() where kind = 'alert' and state = 'pending';
create temp table pager as select * from outbox_claim(:me, 10, 60);
select is((select count(*) from pager), 1::bigint, 'told once');
select is(outbox_dead(id, lease, 'no such address'), true, 'an alert that cannot leave') from pager;
select is((select count(*) from outbox where state = 'pending'), 0::bigint, 'makes no other');
select is(alert_clear('db'), true, 'it is over');
select is(alert_clear('db'), false, 'once');
select is(alert_raise('db', 'today', 'The database is slow', null), true, 'and can come back');
select is((select count(*) from outbox where state = 'pending'), 0::bigint, 'what waits for the digest sends no message of its own');

select * from finish();
rollback;
