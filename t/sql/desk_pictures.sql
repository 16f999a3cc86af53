-- The figures of the page of pictures, each against orders that were made for it.
\ir helper.psql
begin;
select plan(14);

create function t.day(in_ago int, in_what text) returns bigint language sql
as $$ select (d ->> in_what)::bigint from jsonb_array_elements(desk_pictures() -> 'by_day') d
       where d ->> 'day' = to_char((now() - in_ago * interval '1 day') at time zone 'UTC', 'YYYY-MM-DD') $$;
create function t.within(in_text text) returns bigint language sql
as $$ select (s ->> 'orders')::bigint from jsonb_array_elements(desk_pictures() #> '{access,spread}') s where s ->> 'within' = in_text $$;
create function t.via(in_via text) returns bigint language sql
as $$ select (v ->> 'orders')::bigint from jsonb_array_elements(desk_pictures() -> 'via') v where v ->> 'via' = in_via $$;
create function t.risk(in_age text) returns jsonb language sql
as $$ select r from jsonb_array_elements(desk_pictures() #> '{risk,by_age}') r where r ->> 'waiting' = in_age $$;

select is(jsonb_array_length(desk_pictures() -> 'by_day'), 30, 'a month of days, also without orders');
select is(desk_pictures() #> '{access,p50_s}', 'null', 'nobody paid: no p50, and no error');
select is(desk_pictures() #>> '{risk,money}', null, 'and no money at risk');

select t.placed(n) from generate_series(1, 6) n \g /dev/null
select t.says(t.paid(n)) from generate_series(1, 3) n \g /dev/null
update orders set created_at = now() - interval '3 days' where id = t.id(6);
update orders set created_at = now() - interval '31 days' where id = t.id(5);
update outbox set state = 'sent', sent_at = created_at + case when order_id = t.id(1) then interval '2 min' else interval '5 s' end where kind = 'mail';

select is(t.day(0, 'orders'), 4::bigint, 'orders of today');
select is(t.day(3, 'orders'), 1::bigint, 'and of three days ago');
select is((select sum((d ->> 'orders')::int) from jsonb_array_elements(desk_pictures() -> 'by_day') d), 5::bigint, 'what is older is left out');
select is(t.day(0, 'payments'), 3::bigint, 'payments');
select is(t.day(0, 'sent'), 3::bigint, 'mails that left');
select is(t.day(0, 'late'), 1::bigint, 'one of them late');
select is(t.via('webhook'), 3::bigint, 'the road of each');
select is((desk_pictures() #>> '{access,count}')::int, 3, 'each has a time from payment to access');
select is((select sum((s ->> 'orders')::int) from jsonb_array_elements(desk_pictures() #> '{access,spread}') s), 3::bigint, 'which is in one of the columns');

insert into payments (provider, payment_id, order_id, mode, amount, currency, paid_at)
values ('stripe', 'pi_risk', t.id(4), 'test', 24900, 'USD', now() - interval '22 min');
select is(t.risk('under 1 h'), '{"waiting": "under 1 h", "payments": 1, "money": "249.00 USD"}', 'money without access, by how long it waits');
select is(desk_pictures() #>> '{risk,money}', '249.00 USD', 'and in all');

select * from finish();
rollback;
