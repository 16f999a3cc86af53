-- What becomes of access is told to the application: once each, only if it wants to hear.
\ir helper.psql
begin;
select plan(33);

-- What was told since the last look, oldest first.
create temp table seen (id bigint);
create function t.told() returns text[] language plpgsql
as $$
declare
    news text[];
begin
    select array_agg((o.payload ->> 'type') || ' ' || (o.payload -> 'data' ->> 'account') || ' '
                     || (o.payload -> 'data' ->> 'active') order by o.id) into news
      from subpay.outbox o where o.kind = 'notify' and o.id not in (select id from seen);
    insert into seen select o.id from subpay.outbox o where o.kind = 'notify' and o.id not in (select id from seen);
    return coalesce(news, '{}');
end
$$;

select t.placed(1), t.says(t.paid(1)) \g /dev/null
select is(t.told(), '{}', 'nobody listens: no row');
select is(notify_expired(10), 0, 'nor is anything looked for');

select is(settings_store('{"notify": true}'), true, 'somebody wants to hear');
select is(settings_store('{"notify": true}'), false, 'told again: nothing new');
select is(settings_store('{"mode": "test"}'), false, 'not mentioned: as it was');
select is(settings_store('{"notify_since": "2000-01-01"}'), false, 'since when is nobody''s to say');
select is(t.told(), '{}', 'what was before stays untold');

select t.placed(2, 10) \g /dev/null
select is(t.says(t.paid(2)), 'completed', 'bought');
select is(t.told(), '{entitlement.granted c2@example.com true}', 'granted');
select is(t.says(t.paid(2)), 'already', 'the same again');
select is(t.says(t.paid(2, '{"event_id": "other"}')), 'already', 'from another side');
select is(t.told(), '{}', 'is no news');
select results_eq($$ select payload ->> 'type', payload -> 'data' ->> 'product', payload -> 'data' ->> 'status',
                            payload -> 'data' ->> 'reference', (payload -> 'data' ->> 'expires_at')::timestamptz
                       from outbox where kind = 'notify' $$,
    $$ select 'entitlement.granted', 'annual', 'active', o.reference, date_trunc('second', s.expires_at)
         from orders o join subscriptions s on s.order_id = o.id where o.id = t.id(2) $$, 'what it says');

-- Bought again while it runs, outside of the duplicate window.
alter table orders disable trigger user;
update orders set completed_at = now() - interval '30 days', paid_at = now() - interval '30 days' where id = t.id(2);
alter table orders enable trigger user;
select t.placed(3, 0, 'c2@example.com'), t.says(t.paid(3)) \g /dev/null
select is(t.told(), '{entitlement.extended c2@example.com true}', 'a second year is an extension');
update subscriptions set expires_at = expires_at + interval '1 month' where order_id = t.id(3);
select is(t.told(), '{entitlement.extended c2@example.com true}', 'so is a later end');
update subscriptions set renews = true where order_id = t.id(3);
select is(t.told(), '{}', 'another column is none');

-- Time that is up.
update subscriptions set starts_at = now() - interval '1 year', expires_at = now() where order_id = t.id(2);
select t.told() \g /dev/null
select is(notify_expired(10), 1, 'the first year is over');
update subscriptions set starts_at = now() - interval '1 day' where order_id = t.id(3);
select is(notify_expired(10), 0, 'looked at once');
update subscriptions set expires_at = now() where order_id = t.id(3);
select t.told() \g /dev/null
select is(notify_expired(10), 1, 'the second is over too');
select is((t.told())[1:1], '{entitlement.ended c2@example.com false}', 'ended');
select is(notify_expired(10), 0, 'once');
update subscriptions set expires_at = now() + interval '1 day' where order_id = t.id(3);
select is(t.told(), '{entitlement.extended c2@example.com true}', 'a late renewal');
update subscriptions set starts_at = now() - interval '3 days', expires_at = now() - interval '2 days' where order_id = t.id(1);
select notify_expired(10) \g /dev/null
select is(t.told(), '{}', 'what ended before anybody listened stays untold');

-- Money that goes back.
select t.placed(4), t.says(t.paid(4)), t.told() \g /dev/null
select is(t.says(t.dispute(4, 'lost', t.ago(5))), 'updated', 'a dispute is lost');
select is(t.told(), '{entitlement.ended c4@example.com false}', 'that ends it');
select is(t.says(t.dispute(4, 'won', t.ago(4))), 'updated', 'and won');
select is(t.told(), '{entitlement.granted c4@example.com true}', 'that gives it back');
select is(t.says(t.refund(4, 24900, 'succeeded')), 'closed refunded', 'refunded');
select is(t.told(), '{entitlement.refunded c4@example.com false}', 'refunded');

-- A corrected address.
select t.placed(5), t.says(t.paid(5)), t.told() \g /dev/null
select is((select verdict from email_correct(sha256(convert_to('token 5', 'UTF8')), 'right@example.com', 'r...')), 'corrected', 'corrected');
select is(t.told(), '{entitlement.ended c5@example.com false,entitlement.granted right@example.com true}', 'one loses it, the other has it');

select is(settings_store('{"notify": false}'), true, 'nobody listens any more');
select t.placed(6), t.says(t.paid(6)) \g /dev/null
select is(t.told(), '{}', 'no row');
select * from finish();
rollback;
