-- Who is told of trouble and when: one alert for one cause, repeated until somebody takes
-- it, checkout paused when nobody does; one digest a day.
\ir helper.psql
begin;
select plan(52);
select settings_store('{"mode": "test", "site": "https://shop.example"}') \g /dev/null

create function t.watch(in_over jsonb default '{}') returns void language sql
as $$ select alert_watch('{"silence_s": 1800, "escalate_s": 600, "pause_s": 1800}'::jsonb || in_over) $$;
create function t.open() returns setof text language sql
as $$ select key from alerts where closed_at is null order by id $$;
create function t.messages() returns bigint language sql
as $$ select count(*) from outbox where kind = 'alert' $$;
-- The same, so long later.
create function t.later(in_time interval) returns void language sql
as $$ update alerts set raised_at = raised_at - in_time $$;

select t.watch() \g /dev/null
select is_empty('select t.open()', 'nothing is wrong in an empty shop');

-- Money without access: 20 orders are one alert and one message.
select t.placed(n) from generate_series(1, 20) n \g /dev/null
insert into payments (provider, payment_id, order_id, mode, amount, currency, paid_at, created_at)
select 'stripe', 'pi_' || n, t.id(n), 'test', 24900, 'USD', now() - n * interval '1 min', now() - n * interval '1 min'
  from generate_series(1, 20) n;
update outbox set state = 'sent', sent_at = now();
select t.watch() \g /dev/null
select results_eq('select t.open()', array['money'], 'one alert');
select is(t.messages(), 1::bigint, 'one message');
select is((select text from alerts), 'PAID, NO ACCESS: 10 people, 2490.00 USD, longest 20 min', 'with how many, how much, how long');
select is((select jsonb_array_length(detail -> 'cases') from alerts), 5, 'and who has waited longest');
select is((select detail #>> '{cases,0,waiting}' from alerts), '20 min', 'first');
select t.watch() \g /dev/null
select is(t.messages(), 1::bigint, 'seen again, it is not told again');
select is((select alert_letter(id) ->> 'headline' from alerts), 'PAID, NO ACCESS: 10 people, 2490.00 USD, longest 20 min', 'the message says what is true when it leaves');

-- Repeated to the second, the first, the second ... until somebody has it.
select t.later('9 min') \g /dev/null
select t.watch() \g /dev/null
select is(t.messages(), 1::bigint, 'not before ten minutes');
select t.later('2 min') \g /dev/null
select t.watch() \g /dev/null
select results_eq('select (payload ->> ''person'')::int from outbox where kind = ''alert'' order by id', array[0, 1], 'then the second person');
select t.watch() \g /dev/null
select is(t.messages(), 2::bigint, 'once');
select is(checkout_paused(), false, 'checkout is open');

-- Nobody answers.
select t.later('20 min') \g /dev/null
select t.watch('{"pause_s": 0}') \g /dev/null
select is(checkout_paused(), false, 'it never pauses where that is not wanted');
select t.watch() \g /dev/null
select is(checkout_paused(), true, 'nobody has answered for half an hour: checkout pauses');
select results_eq($$ select actor, action from audit where action like 'support.%' $$, $$ values ('system', 'support.pause') $$, 'by itself');
select isnt((select alert_letter(id) #>> '{paused,text}' from alerts), null, 'the next message says so');
select t.watch() \g /dev/null
select is((select count(*) from audit where action like 'support.%'), 1::bigint, 'once');
select is((select verdict from order_place(t.id(99), null, sha256('x'), 'stripe', 'test', 'x@example.com', 'X',
    'annual', 'Annual plan', 24900, 'USD', '1 year', '1y', 0, false, 'https://shop.example', '1 day')), 'paused', 'nobody can order');

-- Who waits is told when it works.
select is(resume_wait('ana@example.com'), true, 'somebody waits');
select is(resume_wait('Ana@example.com'), true, 'and asks again');
select is(checkout_pause(false, 'sam', 'all is well'), true, 'one press resumes');
select is(checkout_pause(false, 'sam', 'all is well'), false, 'once');
select results_eq($$ select recipient, payload ->> 'plans_url' from outbox where template = 'resumed' $$,
    $$ values ('ana@example.com', 'https://shop.example/') $$, 'and who waited hears it, once');
select is(resume_wait('late@example.com'), false, 'after that nobody needs to wait');
select t.watch() \g /dev/null
select is(checkout_paused(), false, 'who resumed has answered: it stays open');

-- Paused again before that mail has left.
select is(checkout_pause(true, 'sam', 'again'), true, 'paused again');
select is((select count(*)::int from outbox_claim(gen_random_uuid(), 100, 60) where template = 'resumed'), 0,
    'nobody hears that payments work');
select results_eq($$ select state, last_error from outbox where template = 'resumed' $$,
    $$ values ('sent', 'not sent: payments are paused again') $$, 'that mail is withdrawn');
select is(checkout_pause(false, 'sam', 'now'), true, 'and when they do');
select is((select count(*)::int from outbox_claim(gen_random_uuid(), 100, 60)
            where template = 'resumed' and recipient = 'ana@example.com'), 1, 'who waited hears it');

-- Taken.
select is(alert_take('money', 'ana') ->> 'verdict', 'taken', 'I have it');
select is(alert_take('money', 'sam'), '{"verdict": "again", "by": "ana", "text": "PAID, NO ACCESS: 10 people, 2490.00 USD, longest 20 min"}', 'the second learns who has it');
select is(alert_take('nothing', 'sam') ->> 'verdict', 'none', 'what there is not cannot be taken');
select is((select alert_letter(id) from alerts), null, 'a message that has not left yet is not needed any more');
create temp table so_far as select t.messages() as n;
select t.later('10 days') \g /dev/null
select t.watch() \g /dev/null
select is(t.messages(), n, 'no more messages') from so_far;
update payments set amount_refunded = amount;
select t.watch() \g /dev/null
select is_empty('select t.open()', 'and it closes by itself');
select is(alert_take('money', 'sam') ->> 'verdict', 'closed', 'a late press says that it is over');

-- Looks that stopped.
insert into runs (kind, started_at, finished_at, ok) select k, now() - interval '2 h', now() - interval '2 h', true from unnest('{events,objects}'::text[]) k;
insert into runs (kind, started_at) select k, now() - interval '5 s' from unnest('{events,objects}'::text[]) k;
select t.watch() \g /dev/null
select is_empty('select t.open()', 'after a long stop the first look has its time');
update runs set started_at = now() - interval '3 min', finished_at = now() - interval '2 min', ok = false, error = 'provider_timeout' where ok is null;
select t.watch() \g /dev/null
select results_eq('select t.open()', array['silence'], 'both kinds silent are one alert');
update runs set error = 'provider_key' where not ok;
select t.watch() \g /dev/null
select results_eq('select t.open()', array['key'], 'a key that is refused is the cause, and the one alert');
insert into runs (kind, started_at, finished_at, ok) select k, now(), now(), true from unnest('{events,objects}'::text[]) k;
select t.watch() \g /dev/null
select is_empty('select t.open()', 'good looks close it');

-- A stuck outbox.
insert into outbox (kind, template, recipient, dedupe_key, attempts, created_at, last_error, next_try_at)
values ('mail', 'reply', 'full@example.com', 'full', 5, now() - interval '29 min', '452 full', now() + interval '1 min');
select t.watch() \g /dev/null
select is_empty('select t.open()', 'one mailbox that is full is not a stuck outbox');
update outbox set created_at = now() - interval '31 min' where dedupe_key = 'full';
update outbox set sent_at = now() - interval '1 day' where state = 'sent';
select t.watch() \g /dev/null
select results_eq('select t.open()', array['outbox'], 'nothing has left for half an hour');
delete from outbox;
select t.watch() \g /dev/null

-- Quiet hours, over midnight, summer time included.
select is(alert_quiet('22:00-08:00 Europe/Berlin', '2026-07-01 05:59Z'), true, 'quiet in the morning, in summer');
select is(alert_quiet('22:00-08:00 Europe/Berlin', '2026-07-01 06:00Z'), false, 'and over at eight');
select is(alert_quiet('22:00-08:00 Europe/Berlin', '2026-01-01 06:30Z'), true, 'in winter an hour later');
select is(alert_quiet(null), false, 'none: never');

-- The digest.
create function t.digest(in_over jsonb default '{}') returns boolean language sql
as $$ select digest_make('{"at": "00:00", "hours": "Mon-Fri 09:00-17:00 UTC", "people": 2}'::jsonb || in_over) $$;
select is(t.digest(), false, 'a new shop begins the next day');
update watermarks set cursor = (now() - interval '1 day')::date::text where name = 'digest';
select is(t.digest('{"quiet": "00:00-23:59 UTC"}') or t.digest('{"quiet": "23:59-00:01 UTC"}') is null, false, 'not in quiet hours')
 where extract(hour from now()) < 23 union all select pass('not in quiet hours') where extract(hour from now()) >= 23;
select t.digest() \g /dev/null
select is((select count(*) from outbox where template = 'digest'), 2::bigint, 'one for each of two people');
select is(t.digest(), false, 'once a day, however many ask');
select is((select payload ->> 'needs_count' from outbox where template = 'digest' limit 1), '0', 'also on quiet days');

select * from finish();
rollback;
