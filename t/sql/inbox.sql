-- Mails that come in: whose ticket, once each, and what came back.
\ir helper.psql
begin;
select plan(27);

create function t.mail(in_id text, in_from text, in_more jsonb default '{}') returns jsonb language sql
as $$ select jsonb_build_object('message_id', in_id, 'from', in_from, 'subject', 'Hello', 'text', 'words', 'answers', '[]'::jsonb) || in_more $$;
create function t.answers(in_template text, in_order int) returns jsonb language sql
as $$ select jsonb_build_object('answers', jsonb_build_array('x@example', 'outbox-' || m.id || '.' || m.message_id || '@shop.example'))
        from outbox m where m.template = in_template and m.order_id = t.id(in_order) $$;
create function t.ticket(in_answer jsonb) returns tickets language sql
as $$ select t from tickets t where t.reference = in_answer ->> 'ticket' $$;

select t.placed(n) from generate_series(1, 2) n \g /dev/null
select t.says(t.paid(n)) from generate_series(1, 2) n \g /dev/null
update outbox set state = 'sent', sent_at = now();

-- an answer to a mail about an order, from whatever address
select inbox_take(t.mail('one@phone', 'work@example.com', t.answers('confirmation', 1))) as said \gset
select is(:'said'::jsonb ->> 'verdict', 'opened', 'an answer to the welcome opens a ticket');
select is((t.ticket(:'said')).order_id, t.id(1), 'about that order: only its reader knows the id');
select is((t.ticket(:'said')).subject, 'Hello', 'with its subject');
select is((t.ticket(:'said')).email, 'work@example.com', 'and who wrote');
select is(inbox_take(t.mail('one@phone', 'work@example.com')) ->> 'verdict', 'again', 'handed in twice is one');
select is((select count(*) from searches where email = 'work@example.com'), 1::bigint, 'and it is looked for, as from the form');

-- a thread
update tickets set state = 'solved', solved_at = now(), thanked_at = now() where email = 'work@example.com';
select inbox_take(t.mail('two@phone', 'Work@Example.com', '{"answers": ["one@phone"]}')) as two \gset
select is(:'two'::jsonb, jsonb_build_object('verdict', 'added', 'ticket', :'said'::jsonb ->> 'ticket'), 'an answer to an answer');
select is((t.ticket(:'two')).state, 'open', 'opens what was solved');
select is((t.ticket(:'two')).thanked_at, null, 'a thank-you that went on is none');
select ok((t.ticket(:'two')).due_at > now(), 'with a time by which a person answers');
select is(ticket_thread((t.ticket(:'two')).id), '{"thread": "two@phone", "refs": ["one@phone", "two@phone"]}', 'the next mail of ours answers that');
select is(ticket_thread(-1), '{}', 'none: no thread');

-- the number in the subject
select is(inbox_take(t.mail('three@x', 'WORK@example.com', jsonb_build_object('subject', 'Re: [' || (:'said'::jsonb ->> 'ticket') || ']'))) ->> 'verdict', 'added', 'from its own address');
select is(inbox_take(t.mail('four@x', 'other@example.com', jsonb_build_object('subject', 'Re: [' || (:'said'::jsonb ->> 'ticket') || ']'))) ->> 'verdict', 'opened', 'from another it is a new one');
select inbox_take(t.mail('five@x', 'other@example.com', jsonb_build_object('answers', jsonb_build_array(
    'outbox-' || (select id from outbox where template = 'confirmation' and order_id = t.id(1)) || '.00000000-0000-4000-8000-000000000000@shop.example')))) as five \gset
select is((t.ticket(:'five')).order_id, null, 'a guessed id opens nothing of others');

-- programs
select is(inbox_take(t.mail('away@x', 'work@example.com', '{"automatic": true}')) ->> 'verdict', 'ignored', 'a program that answers nothing of ours');
select is(inbox_take(t.mail('away@y', 'work@example.com', '{"automatic": true, "answers": ["two@phone"]}')) ->> 'verdict', 'noted', 'or something: a note');
select is((select direction from ticket_messages where message_id = 'away@y'), 'note', 'which does not count as written twice');
select is(inbox_take(t.mail('none@x', null)) ->> 'verdict', 'ignored', 'nobody to answer');
select is(inbox_take(t.mail('outbox-1.00000000-0000-4000-8000-000000000000@shop.example', 'a@example.com')) ->> 'verdict', 'ignored', 'our own, in a circle');

-- what came back
create function t.back(in_id text) returns jsonb language sql
as $$ select inbox_take(t.mail('back' || random() || '@x', 'daemon@example.com', jsonb_build_object('bounce', true, 'bounced_to', 'c2@example.com', 'bounced_why', '550 no', 'bounced_id', in_id))) $$;
create function t.letter(in_order int) returns text language sql
as $$ select 'outbox-' || id || '.' || message_id || '@shop.example' from outbox where template = 'confirmation' and order_id = t.id(in_order) $$;
select is(t.back('outbox-1.00000000-0000-4000-8000-000000000000@shop.example') ->> 'verdict', 'noted', 'a report about a mail that never was');
select is(diagnose(t.id(2)), 'healthy', 'changes nothing');
select is(t.back(t.letter(2)) ->> 'verdict', 'bounced', 'one that names it');
select is(diagnose(t.id(2)), 'mail_not_sent', 'makes it undelivered');
select is((select count(*) from tickets where kind = 'dead_mail' and order_id = t.id(2)), 1::bigint, 'with a ticket');
select is(t.back(t.letter(2)) ->> 'verdict', 'again', 'once');
select is((select before ->> 'state' from audit where action = 'mail.bounced' and order_id = t.id(2)), 'sent', 'and its row in the audit');

select * from finish();
rollback;
