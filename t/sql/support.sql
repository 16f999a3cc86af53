-- When people answer, what strangers may cause, and which tickets close themselves.
\ir helper.psql
begin;
select plan(41);

-- support_turn: from when and until when, at a moment of ours, in their zone.
create function t.turn(in_hours text, in_at text, out takes text, out answers text) language plpgsql
as $$
begin
    perform settings_store(jsonb_build_object('support_hours', in_hours));
    select to_char(s.takes_at at time zone 'UTC', 'Dy DD HH24:MI'),
           to_char(s.answers_at at time zone 'UTC', 'Dy DD HH24:MI')
      into takes, answers from support_turn(in_at::timestamptz) s;
end $$;
create function t.turns(in_hours text, in_at text) returns text language sql
as $$ select takes || ' > ' || answers from t.turn(in_hours, in_at) $$;

select is(t.turns('Mon-Fri 08:30-17:30 UTC', '2026-11-18 10:00Z'), 'Wed 18 10:00 > Wed 18 12:00', 'in their hours: two hours from now');
select is(t.turns('Mon-Fri 08:30-17:30 UTC', '2026-11-18 10:01Z'), 'Wed 18 10:01 > Wed 18 12:15', 'up to the next quarter');
select is(t.turns('Mon-Fri 08:30-17:30 UTC', '2026-11-18 03:00Z'), 'Wed 18 08:30 > Wed 18 10:30', 'at night: in the morning');
select is(t.turns('Mon-Fri 08:30-17:30 UTC', '2026-11-18 15:30Z'), 'Wed 18 15:30 > Wed 18 17:30', 'just before the evening');
select is(t.turns('Mon-Fri 08:30-17:30 UTC', '2026-11-18 15:31Z'), 'Thu 19 08:30 > Thu 19 10:30', 'too late for today: tomorrow');
select is(t.turns('Mon-Fri 08:30-17:30 UTC', '2026-11-20 18:00Z'), 'Mon 23 08:30 > Mon 23 10:30', 'Friday evening: Monday');
select is(t.turns('Mon-Fri 08:30-17:30 UTC', '2026-11-21 12:00Z'), 'Mon 23 08:30 > Mon 23 10:30', 'Saturday: Monday');
select is(t.turns('Mon-Fri 08:30-17:30 Europe/Berlin', '2026-11-18 03:00Z'), 'Wed 18 07:30 > Wed 18 09:30', 'their clock, in winter');
select is(t.turns('Mon-Fri 08:30-17:30 Europe/Berlin', '2026-07-15 03:00Z'), 'Wed 15 06:30 > Wed 15 08:30', 'and in summer');
select is(t.turns('Mon-Sun 08:30-17:30 Europe/Berlin', '2026-03-28 20:00Z'), 'Sun 29 06:30 > Sun 29 08:30', 'and in the night in which it changes');
select is(t.turns('Mon-Fri 09:00-17:00 Pacific/Auckland', '2026-11-22 19:30Z'), 'Sun 22 20:00 > Sun 22 22:00', 'Monday there, Sunday here');
select is(t.turns('Wed 10:00-11:00 UTC', '2026-11-18 10:30Z'), 'Wed 25 10:00 > Wed 25 11:00', 'one hour a week');
select is(t.turns('Sat-Mon 10:00-16:00 UTC', '2026-11-20 12:00Z'), 'Sat 21 10:00 > Sat 21 12:00', 'days around the end of the week');
select is(t.turns('Sat-Mon 10:00-16:00 UTC', '2026-11-23 15:00Z'), 'Sat 28 10:00 > Sat 28 12:00', 'and over');
select is(t.turns('Mon-Fri 08:30-17:30 Atlantis/Centre', '2026-11-18 03:00Z'), 'Wed 18 08:30 > Wed 18 10:30', 'a zone that is not known here counts as UTC');
select is(t.turns('Mon-Fri 09:00-17:00 UTC', '2026-11-18 03:00Z'), 'Wed 18 09:00 > Wed 18 11:00', 'back to the default');

-- mail_seldom
select ok(mail_seldom('not_found', null, 'Ana@example.com', null, null, '{}'), 'a first mail leaves');
select ok(not mail_seldom('not_found', null, 'ana@EXAMPLE.com', null, null, '{}'), 'a second within the hour does not');
select ok(mail_seldom('not_found', null, 'bea@example.com', null, null, '{}'), 'another address has its own');
select ok(mail_seldom('found', 'x', 'ana@example.com', null, null, '{}'), 'so has another kind');
update outbox set created_at = now() - interval '59 minutes',
       dedupe_key = 'not_found:ana@example.com:' || (extract(epoch from now())::bigint / 3600 - 1)
 where template = 'not_found' and recipient = 'Ana@example.com';
select ok(not mail_seldom('not_found', null, 'ana@example.com', null, null, '{}'), 'the turn of the hour lets none through');
update outbox set created_at = now() - interval '61 minutes' where template = 'not_found' and recipient = 'Ana@example.com';
select ok(mail_seldom('not_found', null, 'ana@example.com', null, null, '{}'), 'an hour later one leaves again');

-- A search is one worker's at a time, and who lost it cannot report.
select search_add(null, 'c1@example.com', null, null, null, null, null, null) \g /dev/null
create temp table mine as select * from search_claim(gen_random_uuid(), 45);
select is((select count(*) from mine), 1::bigint, 'claimed');
select is((select count(*) from search_claim(gen_random_uuid(), 45)), 0::bigint, 'by one');
select is(search_done((select id from mine), gen_random_uuid(), '{}', true), 'lost', 'a lease that is over reports nothing');
select is(search_done((select id from mine), (select lease from mine), '{}', false), 'waiting', 'no clear answer');
select is((select state from searches), 'open', 'comes again');
update searches set next_try_at = now();
select worker_gone(gen_random_uuid()) \g /dev/null
create temp table again as select * from search_claim(t.id(99), 45);
select worker_gone(t.id(99)) \g /dev/null
select is((select count(*) from searches where lease is null and next_try_at <= now()), 1::bigint, 'a dead worker gives it back at once');
create temp table third as select * from search_claim(t.id(98), 45);
select is(search_done((select id from third), (select lease from third), '{}', true), 'none', 'a clear answer');
select is((select count(*) from outbox where template = 'not_found' and recipient = 'c1@example.com'), 1::bigint, 'is told');
select is(search_done((select id from third), (select lease from third), '{}', true), 'lost', 'once');

-- Tickets: closed by what heals them, and by nothing else.
select t.placed(1) \g /dev/null
select ticket_write(t.id(50), 'c1@example.com', E'Help\nme', 'yes', null, null) \g /dev/null
create function t.searched(in_orders uuid[]) returns text language sql
as $$ select search_done(c.id, c.lease, in_orders, true) from search_claim(t.id(97), 45) c $$;
select is(t.searched(array[t.id(1)]), 'none', 'an order that nobody paid');
select is((select subject || ' ' || state || ' ' || (order_id = t.id(1)) from tickets where kind = 'customer'), 'Help open true',
    'is linked, and the ticket stays');
select is((select count(*) from outbox where template = 'acknowledge'), 1::bigint, 'acknowledged');
select is((select payload #>> '{ticket,subject}' from outbox where template = 'acknowledge'), null, 'without their words');
select is(tickets_heal(), 0, 'nothing has healed');
select is(t.says(t.paid(1)), 'completed', 'then the payment arrives');
update tickets set owner = 'ana' where kind = 'customer';
select is(tickets_heal(), 0, 'what somebody has taken is theirs');
update tickets set owner = 'support' where kind = 'customer';
select is(tickets_heal(), 1, 'else it closes itself');
select is((select state from tickets where kind = 'customer'), 'solved', 'solved');
select ok((select again from ticket_write(t.id(50), 'c1@example.com', 'Help', 'yes', null, null)), 'the same form again is the same ticket');

select * from finish();
rollback;
