-- Checkout's side: an order is written down once, under a reference that finds typos,
-- and the payment page is stored once.
\ir helper.psql
begin;
select plan(49);

create function t.place(in_id uuid, in_form uuid, in_token bytea) returns text language sql
as $$
    select verdict || ' ' || coalesce(id::text, 'none')
      from subpay.order_place(in_id, in_form, in_token, 'stripe', 'test', 'Ana@example.com', null,
               'annual', 'Annual plan', 24900, 'USD', '1 year', '1y', 0, false,
               'https://shop.example', '24 hours')
$$;
\set form '''f0000000-0000-4000-8000-000000000000'''

select is(t.place(t.id(1), :form, sha256('a')), 'placed ' || t.id(1), 'an order is placed');
select is(t.place(t.id(1), :form, sha256('a')), 'again ' || t.id(1), 'the same call again meets it');
select is(t.place(t.id(2), :form, sha256('b')), 'again ' || t.id(1), 'the same form again meets it, under the first id');
select is(t.place(t.id(3), null, sha256('c')), 'placed ' || t.id(3), 'without a form each call is an order');
select is((select count(*) from orders), 2::bigint, 'two orders');
select results_eq(
    $$ select state, email, amount, currency, period, checkout_expires_at, next_ask_at, checkout_id
         from orders where id = t.id(1) $$,
    $$ values ('pending', 'Ana@example.com', 24900::bigint, 'USD', interval '1 year', now() + interval '24 hours',
               now() + interval '1 min', null::text) $$, 'as it was asked for, to be asked about in a minute');
select results_eq(
    $$ select id, state, email, amount, currency, period_text, created_at, completed_at, starts_at, bonus_days
         from order_get(sha256('a')) $$,
    $$ values (t.id(1), 'pending', 'Ana@example.com', 24900::bigint, 'USD', '1y', epoch_us(now()), 0::bigint, 0::bigint, 0) $$,
    'found by the token''s hash, moments in microseconds');
select is((select count(*) from order_get(sha256('zz'))), 0::bigint, 'another token finds nothing');
select is((select id from order_by_reference((select reference from orders where id = t.id(3)))), t.id(3), 'found by its reference');
select is((select id from order_by_id(t.id(3))), t.id(3), 'found by its id');
select throws_ok($$ select t.place(t.id(4), null, sha256('a')) $$, 'P0001', null, 'a token is one order''s');

-- Paused.
insert into switches (name, "on", by, why) values ('checkout_paused', true, 'ana', 'the provider is down');
select is(t.place(t.id(5), null, sha256('e')), 'paused none', 'checkout is paused: no order');
select is((select count(*) from order_by_id(t.id(5))), 0::bigint, 'really none');
select is(t.place(t.id(1), :form, sha256('a')), 'again ' || t.id(1), 'what is begun goes on');
select is(t.says(t.paid(3)), 'completed', 'and money counts');
update switches set "on" = false;
select is(t.place(t.id(5), null, sha256('e')), 'placed ' || t.id(5), 'open again');

-- The payment page.
select is(checkout_store(t.id(1), 'cs_1', 'https://pay/1', now() + interval '1 day'), 'stored', 'the page is stored');
select is(checkout_store(t.id(1), 'cs_1', 'https://pay/1', now() + interval '1 day'), 'already', 'once');
select is(checkout_store(t.id(1), 'cs_other', 'https://pay/x', now()), 'already', 'and never overwritten');
select results_eq('select checkout_id, checkout_url from orders where id = t.id(1)', $$ values ('cs_1', 'https://pay/1') $$, 'with another one');
select is(checkout_store(t.id(9), 'cs_9', 'https://pay/9', now()), 'gone', 'no order, no page');
select is(checkout_store(t.id(3), 'cs_3b', 'https://pay/3', now()), 'already', 'a completed order needs none');

-- The customer leaves.
select is(order_cancel(t.id(1), 'customer'), 'noted', 'leaving is noted');
select is(order_cancel(t.id(1), 'customer'), 'already', 'once');
select is(order_cancel(t.id(3), 'customer'), 'already', 'a completed order cannot be left');
select is(order_cancel(t.id(9), 'customer'), 'gone', 'nor one that is not there');
select is((select state from orders where id = t.id(1)), 'pending', 'the provider decides');

-- References.
select is(reference_check('0000000'), '0', 'check symbol of nothing');
select is(reference_check('1000000'), '2', 'alpha to the first');
select is(reference_check('0000001'), 'M', 'alpha to the seventh is twenty');
select is(reference_check('ZZZZZZZ'), 'C', 'all symbols count');
select is(reference_check('4KTM9XQ') || reference_check('0123456'), '75', 'as C has them (t/unit/test_reference.c)');
select is(reference_check('000000'), null, 'six symbols are no reference');
select is(reference_check('000000O'), null, 'nor is a letter outside the alphabet');
select is(reference_check('000000u'), null, 'nor a small one');
create temp table refs as
select reference_new() as reference, n from generate_series(1, 200) n;
create temp table bad as
select replace(reference, '-', '') as word, n from refs;
select is((select count(*) from refs where reference !~ '^SP-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'), 0::bigint, 'fresh ones have the form');
select is((select count(distinct reference) from refs), 200::bigint, 'and differ');
select is((select count(*) from bad where reference_check(substr(word, 3, 7)) <> right(word, 1)), 0::bigint, 'and their check symbol');
select is(
    (select count(*)
       from (select substr(word, 3) as s from bad limit 20) b
      cross join generate_series(1, 8) at
      cross join regexp_split_to_table('0123456789ABCDEFGHJKMNPQRSTVWXYZ', '') sym
      cross join lateral (select overlay(s placing sym from at for 1) as typo) y
      where typo <> s and reference_check(left(typo, 7)) = right(typo, 1)),
    0::bigint, 'every wrong symbol is noticed');
select is(
    (select count(*)
       from (select substr(word, 3) as s from bad) b
      cross join generate_series(1, 7) i cross join generate_series(2, 8) j
      cross join lateral (select overlay(overlay(s placing substr(s, j, 1) from i for 1)
                                         placing substr(s, i, 1) from j for 1) as typo) y
      where i < j and typo <> s and reference_check(left(typo, 7)) = right(typo, 1)),
    0::bigint, 'every swap of two symbols is noticed');

-- Folding.
select is(email_fold('ANA@Example.COM'), 'ana@example.com', 'A to Z are folded');
select is(email_fold(U&'\212A\0130\00C4'), U&'\212A\0130\00C4', 'the Kelvin sign, the dotted I and umlauts are not');
select ok(email_plausible('a@b'), 'one @ will do');
select ok(not email_plausible(bad), 'implausible: ' || coalesce(nullif(quote_literal(bad), ''), 'nothing'))
  from unnest(array['', 'a', '@', 'a@', '@b', 'a@b@c']) bad;

select * from finish();
rollback;
