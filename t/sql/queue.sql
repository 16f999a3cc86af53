-- The order of the queue: who has waited longest with most money, and what raises it.
\ir helper.psql
begin;
select plan(11);

create function t.ask(in_name text, in_kind text, in_minutes int, in_order int, in_due interval default '4 h') returns bigint language sql
as $$
    insert into tickets (kind, subject, email, order_id, due_at, created_at)
    values (in_kind, in_name, in_name || '@example.com', t.id(in_order), now() + in_due, now() - in_minutes * interval '1 min')
    returning id
$$;
create function t.said(in_ticket bigint, in_direction text, in_minutes int) returns void language sql
as $$ insert into ticket_messages (ticket_id, direction, author, body, created_at) values (in_ticket, in_direction, 'x', 'x', now() - in_minutes * interval '1 min') $$;
create function t.queue() returns text[] language sql
as $$ select array_agg(r ->> 'subject') from jsonb_array_elements(desk_queue() -> 'rows') r $$;
create function t.row(in_name text) returns jsonb language sql
as $$ select r from jsonb_array_elements(desk_queue() -> 'rows') r where r ->> 'subject' = in_name $$;

select t.placed(n) from generate_series(1, 9) n \g /dev/null
set session_replication_role = replica;
update orders set amount = 2900 where id = t.id(2);
set session_replication_role = origin;

select t.ask('long', 'customer', 60, 1), t.ask('cheap', 'customer', 60, 2), t.ask('short', 'customer', 30, 3) \g /dev/null
select is(t.queue(), '{long,short,cheap}', 'waiting times money');

select t.ask('twice', 'duplicate', 45, 4) \g /dev/null
select is(t.queue(), '{twice,long,short,cheap}', 'paid twice counts twice');

select t.ask('bank', 'dispute', 10, 5, '47 h'), t.ask('bank later', 'dispute', 10, 6, '49 h') \g /dev/null
select is(t.queue(), '{bank,twice,long,short,"bank later",cheap}', 'a dispute due within two days counts ten times');

select t.ask('angry', 'customer', 50, 7) as angry \gset
select t.said(:angry, 'in', 50), t.said(:angry, 'in', 20), t.said(:angry, 'in', 5) \g /dev/null
select is((t.queue())[1], 'angry', 'who wrote three times goes first');
select is((t.row('angry') ->> 'wrote')::int, 3, 'and the row says so');

-- an old conversation that goes on waits since its last message
select t.ask('old', 'customer', 90 * 1440, 8) as old \gset
select t.said(:old, 'in', 90 * 1440), t.said(:old, 'out', 89 * 1440), t.said(:old, 'in', 5) \g /dev/null
select is((t.row('old') ->> 'minutes')::int, 5, 'answered once, it waits since the next message');
select is((t.queue())[cardinality(t.queue())], 'old', 'and does not go before who waits longer');
select is(t.row('old') -> 'wrote_again', null, 'nor has it been written twice');

-- money without access and without a ticket
insert into payments (provider, payment_id, order_id, mode, amount, currency, paid_at)
values ('stripe', 'pi_stuck', t.id(9), 'test', 24900, 'USD', now() - interval '22 min');
select is((t.row('Paid, and not completed') ->> 'minutes')::int, 22, 'money without access waits since it was paid');
select is((t.row('Paid, and not completed') ->> 'asked')::int, 0, 'with what the machine has tried');
select is(t.queue(), t.queue(), 'asked again, the same order');

select * from finish();
rollback;
