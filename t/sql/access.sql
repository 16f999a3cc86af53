-- A customer gets in with what they know, once, and out when it ends.
begin;
set search_path = subpay, public;
select plan(41);

-- An order, paid and completed, as settle leaves it behind.
create function pg_temp.sold(in_email text, in_token text, in_reference text,
                             in_product text default 'annual', in_credits bigint default 0)
returns uuid language plpgsql as $$
declare
    who uuid;
    made uuid := gen_random_uuid();
begin
    insert into orders (id, reference, token_hash, provider, mode, email, name, product,
                        title, amount, currency, period, credits)
    values (made, in_reference, sha256(in_token::bytea), 'stripe', 'test', in_email, 'Ana',
            in_product, initcap(in_product), 24900, 'USD', '1 year', in_credits);
    insert into payments (provider, payment_id, order_id, mode, amount, currency)
    values ('stripe', 'pi_' || in_token, made, 'test', 24900, 'USD');
    update orders set state = 'completed', completed_at = now(), completed_via = 'webhook',
                      payment_id = 'pi_' || in_token, paid_at = now() where id = made;
    insert into accounts (email, name) values (email_fold(in_email), 'Ana')
        on conflict (email) do update set email = excluded.email returning id into who;
    insert into subscriptions (order_id, account_id, product, starts_at, expires_at)
    values (made, who, in_product, now() - interval '1 day', now() + interval '364 days');
    if in_credits > 0 then
        insert into credit_transactions (account_id, amount, order_id, reason)
        values (who, in_credits, made, 'purchase');
    end if;
    return made;
end $$;
create function pg_temp.reference(in_symbols text) returns text language sql as $$
    select 'SP-' || left(in_symbols, 4) || '-' || substr(in_symbols, 5)
           || subpay.reference_check(in_symbols) $$;
create function pg_temp.h(in_text text) returns bytea language sql as $$
    select sha256(in_text::bytea) $$;

select pg_temp.sold('Ana@Example.com', 'one', pg_temp.reference('AAAAAAA'),
                    in_credits => 100) as ana_order \gset
select id as ana from accounts where email = 'ana@example.com' \gset

-- Links ------------------------------------------------------------------------------
select is(account_link(:'ana', pg_temp.h('link1'), '72 hours'), 'ana@example.com',
          'a link goes to the stored address');
select is(account_link(gen_random_uuid(), pg_temp.h('x'), '72 hours'), null,
          'no account, no link');
select is(account_link_get(pg_temp.h('link1')), 'ana@example.com', 'a link shows whose it is');
select is(account_link_get(pg_temp.h('link1')), 'ana@example.com', 'looking spends nothing');
select is(account_link_get(pg_temp.h('other')), null, 'an unknown link shows nothing');
select account_link(:'ana', pg_temp.h('link2'), '72 hours');

select is(password_hash, null, 'no password yet') from account_login('ANA@example.COM');
select session_open(:'ana', pg_temp.h('old session'), '30 days');
select results_eq($$ select verdict from password_set(pg_temp.h('link1'), null, 'hash1',
                                                      pg_temp.h('s1'), '30 days') $$,
                  array['set'], 'a link chooses a password');
select is(password_hash, 'hash1', 'it is stored') from account_login('ana@example.com');
select results_eq($$ select verdict from password_set(pg_temp.h('link1'), null, 'hash2',
                                                      pg_temp.h('s2'), '30 days') $$,
                  array['expired'], 'a link works once');
select results_eq($$ select verdict from password_set(pg_temp.h('link2'), null, 'hash2',
                                                      pg_temp.h('s2'), '30 days') $$,
                  array['expired'], 'and ends the other links');
select is_empty($$ select * from session_get(pg_temp.h('old session')) $$,
                'a new password ends every session');
select isnt_empty($$ select * from session_get(pg_temp.h('s1')) $$, 'save the one that begins');
select account_link(:'ana', pg_temp.h('link3'), '72 hours');
update account_links set created_at = now() - interval '73 h',
       expires_at = now() - interval '1 h' where token_hash = pg_temp.h('link3');
select is(account_link_get(pg_temp.h('link3')), null, 'a link ends after its time');
select results_eq($$ select verdict from password_set(pg_temp.h('link3'), null, 'hash3',
                                                      pg_temp.h('s3'), '30 days') $$,
                  array['expired'], 'and then sets nothing');
select is(array_agg(action order by id), array['account.password_set'],
          'the audit tells of the one change') from audit where account_id = :'ana';

-- The browser that paid ----------------------------------------------------------------
select results_eq($$ select verdict from password_set(null, pg_temp.h('one'), 'hash4',
                                                      pg_temp.h('s4'), '30 days') $$,
                  array['has_password'], 'the paying browser cannot change a password');
select is(password_hash, 'hash1', 'nothing changed') from account_login('ana@example.com');
select pg_temp.sold('bo@example.com', 'two', pg_temp.reference('BBBBBBB'));
select results_eq($$ select verdict from password_set(null, pg_temp.h('two'), 'hash5',
                                                      pg_temp.h('s5'), '30 days') $$,
                  array['set'], 'but chooses the first one without a mail');
select results_eq($$ select verdict from password_set(null, pg_temp.h('none'), 'hash5',
                                                      pg_temp.h('s6'), '30 days') $$,
                  array['no_order'], 'an unknown token chooses nothing');

-- Asking for a link --------------------------------------------------------------------
select password_ask('ANA@EXAMPLE.COM'), password_ask('ana@example.com'), password_ask('no@example.com');
select is(array_agg(recipient), array['ana@example.com'],
          'asking mails the stored address, once; an unknown one gets nothing')
  from outbox where template = 'set_password';
-- U+212A is the Kelvin sign, which some foldings turn into k.
select pg_temp.sold('kim@example.com', 'kim', pg_temp.reference('KKKKKKK'));
select is_empty($$ select * from account_login(E'\u212Aim@example.com') $$,
                'two people never become one by folding');

-- Gates --------------------------------------------------------------------------------
select is(product, 'annual', 'a session shows the plan')
  from session_get(pg_temp.h('s1'));
select ok(active, 'which is active') from session_get(pg_temp.h('s1'));
select is(credits, 100::bigint, 'and the credits') from session_get(pg_temp.h('s1'));
update subscriptions set expires_at = now() - interval '1 s', starts_at = now() - interval '1 y'
 where order_id = :'ana_order';
select ok(not active, 'an expired plan is not active') from session_get(pg_temp.h('s1'));
select is(expires_at, epoch_us(now() - interval '1 s'), 'and tells when it ended')
  from session_get(pg_temp.h('s1'));
update subscriptions set status = 'refunded', ended_at = now(), expires_at = now() + interval '1 y'
 where order_id = :'ana_order';
select ok(not active, 'a refunded plan is not active') from session_get(pg_temp.h('s1'));
update subscriptions set status = 'active', ended_at = null, expires_at = null
 where order_id = :'ana_order';
select is(expires_at, 0::bigint, 'no end is 0') from session_get(pg_temp.h('s1'));
select session_close(pg_temp.h('s1'));
select is_empty($$ select * from session_get(pg_temp.h('s1')) $$, 'logged out is out');
select session_open(:'ana', pg_temp.h('short'), '1 s');
update sessions set created_at = now() - interval '9 d', expires_at = now() - interval '8 d'
 where token_hash = pg_temp.h('short');
select is_empty($$ select * from session_get(pg_temp.h('short')) $$, 'a session has an end');
select is(access_clean(), 1::bigint, 'what ended a week ago is forgotten');
select is(count(*), 1::bigint, 'an account without a plan has one row')
  from account_get((select id from accounts where email = 'bo@example.com'));

-- The mistyped address -----------------------------------------------------------------
insert into credit_transactions (account_id, amount, reason) values (:'ana', -30, 'used');
select results_eq($$ select verdict from email_correct(pg_temp.h('one'), 'ANA@example.com', 'a') $$,
                  array['same'], 'the same address is no correction');
select results_eq($$ select verdict from email_correct(pg_temp.h('one'), 'Anna@example.com', 'A...@example.com') $$,
                  array['corrected'], 'the paying browser corrects the address');
select results_eq($$ select verdict from email_correct(pg_temp.h('one'), 'c@example.com', 'c') $$,
                  array['used'], 'once');
select results_eq($$ select verdict from email_correct(pg_temp.h('nobody'), 'c@example.com', 'c') $$,
                  array['no_order'], 'and only there');
select is(array_agg(recipient order by recipient collate "C"),
          array['Ana@Example.com', 'Anna@example.com'], 'both addresses are told')
  from outbox where template = 'email_changed';
select results_eq($$ select email, credits, has_password, active
                       from account_get((select account_id from account_by_order(pg_temp.h('one'), null))) $$,
                  $$ values ('anna@example.com', 70::bigint, false, true) $$,
                  'access and what is left of the credits move, a password does not');
select is(credits, 0::bigint, 'nothing stays behind') from accounts where id = :'ana';
select ok(not correctable, 'the page knows it was used') from account_by_order(pg_temp.h('one'), null);
select is(count(*), 1::bigint, 'and the audit has it') from audit
 where action = 'order.email_corrected' and order_id = :'ana_order';

select * from finish();
rollback;
