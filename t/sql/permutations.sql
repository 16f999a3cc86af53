-- Order does not matter: every order of the facts of one purchase, each told twice and in
-- part much later, ends with the same money, access, credits and words.
--
-- Histories are generated: t.history names the facts, t.perms all orders of them. What is
-- compared is what the customer has and what the books say. Which mails left on the way
-- is history, and differs: nobody is welcomed who was refunded before we heard of it. But
-- nobody is ever told of one refund twice.
\ir helper.psql

create function t.perms(in_n int) returns setof int[] language plpgsql as $$
declare
    shorter int[];
begin
    if in_n = 0 then
        return next '{}'::int[];
        return;
    end if;
    for shorter in select * from t.perms(in_n - 1) loop
        for at in 0..in_n - 1 loop
            return next shorter[1:at] || in_n || shorter[at + 1:];
        end loop;
    end loop;
end
$$;

-- The provider's words about order n, each as an event of its own.
create function t.word(n int, in_name text) returns jsonb language sql as $$
    select case in_name
        -- the payment page: knows nothing of refunds, and is the road that names the page
        when 'session' then t.paid(n, '{"charge_id": null}')
        when 'intent' then t.paid(n, '{"checkout_id": null}')
        when 'failed attempt' then t.fact(n, 'payment.failed', '{"failure": "card_declined"}')
        when 'expired' then t.fact(n, 'checkout.expired', '{"at": 1}')
        when 'total part' then t.paid(n, '{"amount_refunded": 4900}')
        when 'total full' then t.paid(n, '{"amount_refunded": 24900}')
        when 'part' then t.refund(n, 4900, 'succeeded', t.ago(50), 'ra' || n)
        when 'part fails' then t.refund(n, 4900, 'failed', t.ago(40), 'ra' || n)
        when 'rest' then t.refund(n, 20000, 'succeeded', t.ago(45), 'rb' || n)
        when 'pending' then t.refund(n, 24900, 'pending', t.ago(50), 'rc' || n)
        when 'full' then t.refund(n, 24900, 'succeeded', t.ago(48), 'rc' || n)
        when 'full fails' then t.refund(n, 24900, 'failed', t.ago(30), 'rc' || n)
        when 'inquiry' then t.dispute(n, 'warning', t.ago(60))
        when 'dispute' then t.dispute(n, 'open', t.ago(50))
        when 'review' then t.dispute(n, 'under_review', t.ago(40))
        when 'won' then t.dispute(n, 'won', t.ago(30))
        when 'lost' then t.dispute(n, 'lost', t.ago(30))
        when 'flipped' then t.dispute(n, 'won', t.ago(20)) || '{"event_id": "flip"}'
        when 'warning' then t.dispute(n, 'actionable', t.ago(70))
            || '{"kind": "warning", "reason": "made_with_stolen_card"}'
    end || jsonb_build_object('event_id', 'evt ' || n || ' ' || in_name)
$$;

-- What the customer has, and what the books say.
create function t.ends(n int, in_words text[]) returns jsonb language sql as $$
    select jsonb_build_object(
        'order', o.state, 'payment', o.payment_id is not null,
        'refunded', p.amount_refunded, 'said', p.refunded_said, 'disputed', p.disputed,
        'access', coalesce(s.status = 'active', false),
        'credits', coalesce(a.credits, 0),
        'booked', (select coalesce(sum(c.amount), 0) from credit_transactions c
                    where c.order_id = o.id),
        'refunds', (select jsonb_object_agg(left(r.refund_id, 2), r.status) from refunds r
                     where r.payment_id = p.payment_id),
        'disputes', (select jsonb_agg(d.status) from disputes d
                      where d.payment_id = p.payment_id),
        'told twice', (select count(*) - count(distinct m.dedupe_key) from outbox m
                        where m.order_id = o.id and m.template = 'refund'),
        -- what has succeeded was told; what has failed was told or never was
        'told', (select jsonb_agg(left(r.refund_id, 2) order by r.refund_id) from refunds r
                  where r.payment_id = p.payment_id and r.status = 'succeeded'
                    and exists (select from outbox m where m.dedupe_key
                                    = 'refund_mail:stripe:' || r.refund_id)),
        'asks', (select jsonb_agg(t.kind order by t.kind) from tickets t
                  where t.order_id = o.id and t.state <> 'solved'),
        'waiting', (select count(*) from provider_events e
                     where e.provider = 'stripe' and e.next_try_at is not null
                       and e.event_id = any (select 'evt ' || n || ' ' || w
                                               from unnest(in_words) w)))
      from orders o
      left join payments p on p.order_id = o.id
      left join subscriptions s on s.order_id = o.id
      left join accounts a on a.id = s.account_id
     where o.id = t.id(n)
$$;

create sequence t.n start 1000;
create table t.seen (words text[], way text[], ends jsonb);

-- All orders of one history: each fact twice at once, then the whole once more from the
-- end; what waits for its payment, or could not be while another refund had not failed
-- yet, is then tried again, as the worker does. One transaction for each.
create procedure t.play(in_words text[]) language plpgsql as $$
declare
    way int[];
    n int;
begin
    for way in select * from t.perms(cardinality(in_words)) loop
        n := nextval('t.n');
        perform t.placed(n, 100);
        for i in 1..cardinality(way) loop
            perform subpay.settle(f, 'webhook', 'tester'), subpay.settle(f, 'replay', 'worker')
               from t.word(n, in_words[way[i]]) f;
        end loop;
        for i in reverse cardinality(way)..1 loop
            perform subpay.settle(t.word(n, in_words[way[i]]), 'reconcile', 'worker');
        end loop;
        for i in 1..cardinality(way) loop
            perform subpay.event_retry('stripe', e.event_id)
               from subpay.provider_events e
              where e.provider = 'stripe' and e.next_try_at is not null
                and e.event_id = 'evt ' || n || ' ' || in_words[i];
        end loop;
        insert into t.seen
        select in_words, array(select in_words[way[i]]
                                 from generate_series(1, cardinality(way)) i),
               t.ends(n, in_words);
        commit;
    end loop;
end
$$;

create function t.same(in_words text[], in_ends jsonb) returns setof text language plpgsql as $$
declare
    all_ends constant text := (
        select string_agg(format('# %s %s after %s', e.many, e.ends, e.way), E'\n')
          from (select s.ends, min(s.way) as way, count(*) as many from t.seen s
                 where s.words = in_words group by 1) e);
begin
    return next is((select count(distinct s.ends) from t.seen s where s.words = in_words),
                   1::bigint, 'one end for all orders of: ' || array_to_string(in_words, ', '));
    return next ok((select bool_and(s.ends @> in_ends) from t.seen s
                     where s.words = in_words), '... which is ' || in_ends::text);
    if all_ends like E'%\n%' then
        return next all_ends;
    end if;
end
$$;

select plan(24);
call t.play('{session,part,total part,failed attempt,expired}');
select t.same('{session,part,total part,failed attempt,expired}',
    '{"order": "completed", "access": true, "credits": 100, "refunded": 4900, "told": ["ra"]}');
call t.play('{session,part,rest,total part,total full}');
select t.same('{session,part,rest,total part,total full}',
    '{"order": "refunded", "access": false, "credits": 0, "refunded": 24900, "told": ["ra", "rb"]}');
call t.play('{session,pending,full,total full,expired}');
select t.same('{session,pending,full,total full,expired}',
    '{"order": "refunded", "access": false, "refunded": 24900, "told": ["rc"]}');
call t.play('{session,pending,full,full fails,total full}');
select t.same('{session,pending,full,full fails,total full}',
    '{"order": "completed", "access": true, "credits": 100, "booked": 100, "refunded": 0, "refunds": {"rc": "failed"}}');
call t.play('{session,intent,full,full fails,total full,part}');
select t.same('{session,intent,full,full fails,total full,part}',
    '{"order": "completed", "access": true, "credits": 100, "refunded": 4900, "told": ["ra"]}');
call t.play('{session,part,part fails,rest,total full}');
select t.same('{session,part,part fails,rest,total full}',
    '{"order": "completed", "access": true, "refunded": 20000, "told": ["rb"]}');
call t.play('{session,intent,dispute,review,won}');
select t.same('{session,intent,dispute,review,won}',
    '{"order": "completed", "access": true, "credits": 100, "disputes": ["won"], "asks": null}');
call t.play('{session,dispute,review,lost,flipped}');
select t.same('{session,dispute,review,lost,flipped}',
    '{"order": "completed", "access": true, "credits": 100, "disputes": ["won"], "asks": null}');
call t.play('{session,dispute,review,lost}');
select t.same('{session,dispute,review,lost}',
    '{"order": "completed", "access": false, "credits": 0, "disputes": ["lost"], "asks": null}');
call t.play('{session,inquiry,dispute,warning,part}');
select t.same('{session,inquiry,dispute,warning,part}',
    '{"order": "completed", "access": true, "disputes": ["open"], "refunded": 4900, "asks": ["dispute"]}');
call t.play('{session,part,rest,dispute,won}');
select t.same('{session,part,rest,dispute,won}',
    '{"order": "refunded", "access": false, "refunded": 24900, "credits": 0}');
call t.play('{session,full,full fails,dispute,lost}');
select t.same('{session,full,full fails,dispute,lost}',
    '{"order": "completed", "access": false, "credits": 0, "refunded": 0, "disputes": ["lost"]}');

select * from finish();
