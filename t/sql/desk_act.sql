-- What support does: each once, by name, with its row in the audit.
\ir helper.psql
\ir renewals.psql
begin;
select plan(43);

create function t.ask(in_n int, in_actor text default 'ana', in_more jsonb default '{}') returns jsonb language sql
as $$ select jsonb_build_object('reference', (select reference from orders where id = t.id(in_n)), 'actor', in_actor, 'reason', 'why') || in_more $$;
create function t.key(in_n int) returns jsonb language sql
as $$ select jsonb_build_object('form_key', md5('form ' || in_n)::uuid) $$;
create function t.rows(in_action text, in_n int) returns bigint language sql
as $$ select count(*) from audit where action = 'support.' || in_action and order_id = t.id(in_n) $$;
create function t.asked(in_n int) returns bigint language sql
as $$ select coalesce(sum((payload ->> 'amount')::bigint), 0)::bigint from outbox where kind = 'refund' and order_id = t.id(in_n) $$;

select t.placed(n) from generate_series(1, 6) n \g /dev/null
select t.says(t.paid(n)) from generate_series(1, 4) n \g /dev/null
update outbox set state = 'sent', sent_at = now();

-- resend
select is(desk_resend(t.ask(1, 'ana', t.key(1))) ->> 'verdict', 'resent', 'sent again');
select is(desk_resend(t.ask(1, 'ana', t.key(1))), '{"verdict": "resent", "to": "c1@example.com", "again": true}', 'the same form: its first answer');
select is(desk_resend(t.ask(1, 'sam', t.key(2))) ->> 'verdict', 'stale', 'another person within the minute');
select is(desk_resend(t.ask(1, 'sam', t.key(3) || '{"seen": "0"}')) ->> 'by', 'ana', 'learns who was first');
select is((select count(*) from outbox where dedupe_key like 'resend:%'), 1::bigint, 'one mail');
select is(t.rows('resend', 1), 1::bigint, 'one row');
select is(desk_resend(t.ask(1, 'sam', t.key(4) || jsonb_build_object('seen', desk_seen(t.id(1))::text))) ->> 'verdict', 'resent', 'who saw the first may send another');
select is((select count(*) from outbox where dedupe_key like 'resend:%'), 1::bigint, 'which hurries the one that is on its way');
select is(desk_resend(t.ask(5)) ->> 'verdict', 'no_access', 'nothing to tell');
select is(desk_resend('{"reference": "SP-0000-0000", "actor": "ana"}') ->> 'verdict', 'no_order', 'no such order');

-- refund
select is(desk_refund(t.ask(2, 'ana', '{"amount": 24901}')) ->> 'verdict', 'too_much', 'more than was paid');
select is(desk_refund(t.ask(2, 'ana', '{"amount": 0}')) ->> 'verdict', 'too_much', 'or nothing');
select is(desk_refund(t.ask(2, 'ana', '{"amount": 10000, "seen": "0"}')) ->> 'verdict', 'asked', 'a part');
select is(desk_refund(t.ask(2, 'sam', '{"amount": 14901}') || jsonb_build_object('seen', desk_seen(t.id(2))::text)) ->> 'verdict', 'too_much', 'what was asked for counts');
select is(desk_refund(t.ask(2, 'sam') || jsonb_build_object('seen', desk_seen(t.id(2))::text)) ->> 'amount', '149.00 USD', 'the rest');
select is(desk_refund(t.ask(2, 'sam') || jsonb_build_object('seen', desk_seen(t.id(2))::text)) ->> 'verdict', 'under_way', 'and no more');
select is(t.asked(2), 24900::bigint, 'never more than the payment');
select is(t.rows('refund', 2), 2::bigint, 'a row for each decision');
select t.says(t.dispute(3, 'open')) \g /dev/null
select is(desk_refund(t.ask(3)) ->> 'verdict', 'disputed', 'never under dispute');
select is(refund_allowed('stripe', 'pi_3'), false, 'nor later');
select is(refund_allowed('stripe', 'pi_4'), true, 'others are');
select is(desk_refund(t.ask(5)) ->> 'verdict', 'no_payment', 'nothing was paid');
select is(desk_refund(t.ask(4, 'ana', '{"duplicate": true}')) ->> 'verdict', 'no_payment', 'there is no second one');
select t.says(t.paid(4, '{"payment_id": "pi_4b", "event_id": "e4b"}')) \g /dev/null
select is(desk_refund(t.ask(4, 'ana', '{"duplicate": true}')) ->> 'verdict', 'asked', 'now there is');
select is((select payload ->> 'payment_id' from outbox where kind = 'refund' and order_id = t.id(4)), 'pi_4b', 'the second, not the first');
select is((select state from tickets where kind = 'duplicate' and order_id = t.id(4)), 'solved', 'which answers the ticket');

-- refund, of a plan that renews
create function t.later(in_payment text default null) returns jsonb language sql
as $$ select t.ask(30, 'ana', jsonb_strip_nulls(jsonb_build_object('payment', in_payment, 'seen', desk_seen(t.id(30))::text))) $$;
create function t.choices() returns text language sql
as $$ select string_agg(concat_ws(' ', c ->> 'payment_id', case when c ? 'purchase' then 'purchase' when c ? 'renewal' then 'renewal' else 'second' end,
          case when c ? 'selected' then 'selected' when c ? 'open' then 'open' when c ? 'under_way' then 'under way' when c ? 'disputed' then 'disputed' end), ', ')
        from jsonb_array_elements(desk_case((select reference from orders where id = t.id(30))) -> 'refund_choices') c $$;
select t.renewing(30), t.says(t.period(30, 0)), t.says(t.period(30, 1)), t.says(t.period(30, 2)) \g /dev/null
select is(t.choices(), 'pi_30_2 renewal selected, pi_30_1 renewal open, pi_30_0 purchase open', 'each payment can be chosen; the newest is');
select is(desk_refund(t.ask(30, 'ana', '{"duplicate": true}')) ->> 'verdict', 'no_payment', 'none of them is one too many');
select is(desk_refund(t.later('pi_2')) ->> 'verdict', 'no_payment', 'nor is one of another order');
select is(desk_refund(t.later()) ->> 'payment', 'pi_30_2', 'the newest, unless one is named');
select is(desk_refund(t.later()) ->> 'verdict', 'under_way', 'and not the one before it while that is on its way');
select is(t.choices(), 'pi_30_2 renewal under way, pi_30_1 renewal open, pi_30_0 purchase open', 'the form offers the others, and chooses none');
select t.says(t.dispute(30, 'open') || '{"payment_id": "pi_30_1"}'), t.says(t.refund(30, 900, 'succeeded') || '{"payment_id": "pi_30_2"}') \g /dev/null
update outbox set state = 'sent', sent_at = now() where kind = 'refund' and order_id = t.id(30);
select is(t.choices(), 'pi_30_1 renewal disputed, pi_30_0 purchase open', 'what the bank has cannot be chosen');
select is(desk_refund(t.later()) ->> 'verdict', 'disputed', 'nor is another one taken in its place');
select is(desk_refund(t.later('pi_30_0')) ->> 'payment', 'pi_30_0', 'unless it is named');

-- grant
select is(desk_grant(t.ask(6, 'ana', '{"days": 0}')) ->> 'verdict', 'bad_days', 'it ends');
select is(desk_grant(t.ask(6, 'ana', '{"days": 30}')) ->> 'verdict', 'grant_asked', 'one asks');
select is(desk_grant(t.ask(6)) ->> 'verdict', 'second_person', 'and cannot give');
select is(desk_grant(t.ask(6, 'sam')) ->> 'verdict', 'granted', 'another one does');
select is(diagnose(t.id(6)), 'order_without_payment', 'and it shows');
select is(t.says(t.paid(6)), 'completed', 'a payment completes it all the same');

-- extend
select is(desk_extend(t.ask(6, 'ana', '{"days": 7}')) ->> 'verdict', 'extended', 'days as goodwill');
select results_eq(format('select s.expires_at from subscriptions s where s.order_id = %L', t.id(6)),
    $$ values (period_after(now(), '1 year 7 days')) $$, 'are at its end');

select * from finish();
rollback;
