-- The "never" of each table holds against the owner too: a bug in a function of ours is
-- refused by the table, whatever it tries.
\ir helper.psql
begin;
select plan(64);

select t.placed(1, 10), t.placed(2) \g /dev/null
select t.says(t.paid(1)) \g /dev/null
set role subpay_owner;

-- In the role of the owner, pgTAP's own tables are out of reach: collect, report later.
create temp table seen (n int generated always as identity, got text, want text, what text);
create function pg_temp.refused(in_sql text, in_state text, in_what text) returns void language plpgsql
as $$
begin
    begin
        execute in_sql;
        insert into seen (got, want, what) values ('done', in_state, in_what);
    exception when others then
        insert into seen (got, want, what) values (sqlstate, in_state, in_what);
    end;
end
$$;

do $$
declare
    check_violation constant text := '23514'; taken constant text := '23505';
    dangling constant text := '23503'; history constant text := '23001';
    missing constant text := '23502'; always constant text := '428C9';
    o1 constant text := quote_literal(t.id(1)); o2 constant text := quote_literal(t.id(2));
begin
    -- accounts
    perform pg_temp.refused('insert into accounts (email) values (''c1@example.com'')', taken, 'two accounts for one address');
    perform pg_temp.refused('insert into accounts (email) values (''C1@example.com'')', check_violation, 'an address that is not folded');
    perform pg_temp.refused('insert into accounts (email) values (''nobody'')', check_violation, 'an address without a domain');
    perform pg_temp.refused(E'insert into accounts (email) values (''a@b\n.example'')', check_violation, 'an address with a line break');
    perform pg_temp.refused('insert into accounts (email) values (''' || repeat('a', 250) || '@b.de'')', check_violation, 'an address of 255 octets');
    perform pg_temp.refused('update accounts set credits = -1', check_violation, 'a negative balance');

    -- orders: completed without a payment
    perform pg_temp.refused('update orders set state = ''completed'' where id = ' || o2, check_violation, 'completed without when and how');
    perform pg_temp.refused('update orders set state = ''completed'', completed_at = now(), completed_via = ''return'' where id = ' || o2,
        check_violation, 'completed without a payment');
    perform pg_temp.refused('update orders set state = ''completed'', completed_at = now(), completed_via = ''return'', payment_id = ''pi_9'' where id = ' || o2,
        dangling, 'completed with a payment that is not there');
    perform pg_temp.refused('update orders set state = ''completed'', completed_at = now(), completed_via = ''return'', payment_id = ''pi_1'' where id = ' || o2,
        dangling, 'completed with another order''s payment');
    perform pg_temp.refused('update orders set state = ''completed'', completed_at = now(), completed_via = ''luck'', payment_id = ''pi_1'' where id = ' || o2,
        check_violation, 'completed by no road we know');
    perform pg_temp.refused('delete from payments where payment_id = ''pi_1''', dangling, 'a completed order losing its payment');
    perform pg_temp.refused('delete from orders where id = ' || o1, dangling, 'a completed order vanishing');

    -- orders: completed is never anything lower
    perform pg_temp.refused(format('update orders set state = %L where id = %s', state, o1), check_violation, 'completed going back to ' || state)
       from unnest('{pending,failed,cancelled,expired,review}'::text[]) state;
    perform pg_temp.refused('update orders set state = ''pending'', completed_at = null, completed_via = null where id = ' || o1, history, 'completed being forgotten');
    perform pg_temp.refused('update orders set completed_at = now() - interval ''1 s'' where id = ' || o1, history, 'completed at another time');
    perform pg_temp.refused('update orders set payment_id = ''pi_2'' where id = ' || o1, history, 'completed by another payment');
    perform pg_temp.refused('update orders set state = ''lost'' where id = ' || o2, check_violation, 'a state that is none');
    perform pg_temp.refused('update orders set state = ''review'' where id = ' || o2, check_violation, 'review without a reason');

    -- orders: what was sold
    perform pg_temp.refused(format('update orders set %s where id = %s', change, o2), history, 'an order changing: ' || change)
       from unnest(array['amount = 1', 'currency = ''EUR''', 'product = ''x''', 'period = ''2 years''', 'credits = 1', 'mode = ''live''', 'reference = ''SP-0000-0000''']) change;
    perform pg_temp.refused(format('insert into orders (id, reference, provider, mode, product, title, amount, currency) values (gen_random_uuid(), %L, ''stripe'', ''test'', ''p'', ''P'', %s, %L)', ref, amount, currency), check_violation, what)
       from (values ('SP-0000-0001', 1, 'USD', 'a reference with a wrong check symbol'),
                    ('lunch', 1, 'USD', 'a reference that is none'),
                    ('SP-0000-0000', 0, 'USD', 'an order for nothing'),
                    ('SP-0000-0000', 1, 'usd', 'a currency in small letters')) v (ref, amount, currency, what);
    perform pg_temp.refused('update orders set token_hash = sha256(''x''::bytea) where true', taken, 'two orders with one token');
    perform pg_temp.refused('update orders set token_hash = ''\x00'' where id = ' || o2, check_violation, 'a token that is not hashed');
    perform pg_temp.refused('update orders set checkout_id = ''cs_1'' where id = ' || o2, taken, 'one payment page for two orders');

    -- payments
    perform pg_temp.refused('insert into payments (provider, payment_id, mode, amount, currency) values (''stripe'', ''pi_1'', ''test'', 1, ''USD'')', taken, 'the same payment twice');
    perform pg_temp.refused('update payments set order_id = ' || o2, history, 'a payment moving to another order');
    perform pg_temp.refused('update payments set order_id = null', history, 'a payment leaving its order');
    perform pg_temp.refused('update payments set amount = 1', history, 'a payment changing its amount');
    perform pg_temp.refused('update payments set amount_refunded = 24901', check_violation, 'refunded more than paid');
    perform pg_temp.refused('update payments set amount_refunded = -1', check_violation, 'refunded less than nothing');

    -- refunds
    insert into refunds (provider, refund_id, payment_id, amount, status, said_at) values ('stripe', 're_1', 'pi_1', 20000, 'pending', now());
    perform pg_temp.refused('insert into refunds (provider, refund_id, payment_id, amount, status, said_at) values (''stripe'', ''re_2'', ''pi_1'', 4901, ''succeeded'', now())', check_violation, 'refunds that sum to more than was paid');
    perform pg_temp.refused('insert into refunds (provider, refund_id, payment_id, amount, status, said_at) values (''stripe'', ''re_3'', ''pi_9'', 1, ''pending'', now())', dangling, 'a refund of no payment');
    perform pg_temp.refused('insert into refunds (provider, refund_id, payment_id, amount, status, said_at) values (''stripe'', ''re_1'', ''pi_1'', 1, ''pending'', now())', taken, 'the same refund twice');

    -- subscriptions
    perform pg_temp.refused('insert into subscriptions (order_id, account_id, product, starts_at) select order_id, account_id, product, now() from subscriptions', taken, 'two subscriptions for one order');
    perform pg_temp.refused('update subscriptions set expires_at = starts_at', check_violation, 'a subscription that ends as it begins');

    -- the ledger and the audit grow, and do nothing else
    perform pg_temp.refused(what, history, what) from unnest(array['update credit_transactions set amount = 1', 'delete from credit_transactions', 'truncate credit_transactions',
        'update audit set actor = ''nobody''', 'delete from audit', 'truncate audit']) what;
    perform pg_temp.refused('insert into credit_transactions (account_id, amount, order_id, reason) select account_id, 1, order_id, reason from credit_transactions', taken, 'one order booked twice');
    perform pg_temp.refused('insert into credit_transactions (account_id, amount, reason) select id, -11, ''used'' from accounts', check_violation, 'more credits used than there are');

    -- events, outbox
    perform pg_temp.refused('insert into provider_events (provider, event_id, state, fact) values (''stripe'', ''evt_1_payment.succeeded'', ''processed'', ''{}'')', taken, 'the same event twice');
    perform pg_temp.refused('update provider_events set state = ''failed''', check_violation, 'a failed event that nobody retries');
    perform pg_temp.refused('update provider_events set state = ''ignored''', check_violation, 'an event ignored without a reason');
    perform pg_temp.refused('insert into outbox (kind, template, dedupe_key, recipient) select kind, ''recovered'', dedupe_key, recipient from outbox', taken, 'two welcomes for one order');
    perform pg_temp.refused('update outbox set state = ''sent''', check_violation, 'a mail sent at no time');
    perform pg_temp.refused('update outbox set state = ''sending''', check_violation, 'a mail taken without a lease');
    perform pg_temp.refused('insert into outbox (kind, template, dedupe_key) values (''mail'', ''confirmation'', ''x'')', check_violation, 'a mail to nobody');
end
$$;

-- What must be possible.
select credits from accounts where email = 'c1@example.com' \gset
insert into credit_transactions (account_id, amount, reason) select id, -10, 'used' from accounts where email = 'c1@example.com';
select credits as credits_after from accounts where email = 'c1@example.com' \gset

reset role;
select is(got, want, what) from seen order by n;
select is(:credits - :credits_after, 10, 'an entry in the ledger moves the balance with it');

select * from finish();
rollback;
