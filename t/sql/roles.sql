-- Roles: the web and the worker execute the functions meant for them and touch no table.
\ir helper.psql
begin;
select plan(24);

select t.placed(1) \g /dev/null

-- By the catalog: nothing is open that nobody named.
select is_empty(
    $$ select c.oid::regclass, r.rolname, p.p
         from pg_class c cross join pg_roles r
        cross join unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) p (p)
        where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'v', 'p')
          and r.rolname in ('subpay_web', 'subpay_worker')
          and has_table_privilege(r.oid, c.oid, p.p) $$,
    'neither role has any right on any table or view');
select is_empty(
    $$ select c.oid::regclass, r.rolname
         from pg_class c cross join pg_roles r
        where c.relnamespace = 'subpay'::regnamespace and c.relkind = 'S'
          and r.rolname in ('subpay_web', 'subpay_worker')
          and has_sequence_privilege(r.oid, c.oid, 'usage') $$,
    'nor on a sequence');
select is_empty(
    $$ select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'subpay'::regnamespace
          and (p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0)) $$,
    'no function is open to everybody');
select is_empty(
    $$ select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'subpay'::regnamespace
          and (has_function_privilege('subpay_web', p.oid, 'execute')
               or has_function_privilege('subpay_worker', p.oid, 'execute'))
          and not (p.prosecdef
                   and p.proconfig @> '{"search_path=subpay, pg_temp"}'
                   and p.proowner = 'subpay_owner'::regrole) $$,
    'what they may execute runs as the owner, with a fixed search_path');
select is_empty(
    $$ select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'subpay'::regnamespace and p.prosecdef
          and not has_function_privilege('subpay_worker', p.oid, 'execute')
          and not has_function_privilege('subpay_web', p.oid, 'execute') $$,
    'nothing runs as the owner that nobody may execute');
select is_empty(
    $$ select c.oid::regclass::text from pg_class c
        where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'v', 'S', 'p', 'c')
          and c.relowner <> 'subpay_owner'::regrole
        union all
       select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'subpay'::regnamespace
          and p.proowner <> 'subpay_owner'::regrole $$,
    'everything belongs to subpay_owner');
select is((select array_agg(rolname::text order by 1) from pg_roles
            where rolname like 'subpay\_%' and (rolsuper or rolcreatedb or rolcreaterole or rolbypassrls)),
    null, 'no role of ours has power over others');
select isnt(has_schema_privilege('subpay_web', 'subpay', 'create'), true, 'the web makes nothing in our schema');

-- By trying. (pgTAP is open to everybody: it lives in public.)
select t.paid(1) as fact \gset
set role subpay_web;
prepare web_settle (jsonb) as select verdict from subpay.settle($1, 'webhook', 'stripe');
select throws_ok('select * from subpay.orders', '42501', null, 'the web cannot read a table');
select throws_ok('select * from subpay.order_row', '42501', null, 'nor the view');
select throws_ok('update subpay.orders set state = ''completed''', '42501', null, 'nor write one');
select throws_ok('insert into subpay.audit (actor, action) values (''x'', ''y'')', '42501', null, 'nor make history');
select results_eq(format('execute web_settle(%L)', :'fact'), $$ values ('completed') $$, 'it lets a fact in');
select is((select state from subpay.order_by_id('9c0d7a1e-0000-4000-8000-000000000000')), null, 'it looks an order up');
select throws_ok($$ select * from subpay.outbox_claim(gen_random_uuid(), 1, 1) $$, '42501', null, 'it cannot take mail out');
select throws_ok($$ select subpay.settings_store('{"mode": "live"}') $$, '42501', null, 'nor change the settings');
select throws_ok($$ select subpay.watermark_set('events', now(), null) $$, '42501', null, 'nor move a watermark');
select throws_ok($$ select subpay.leader_try() $$, '42501', null, 'nor lead');
select throws_ok($$ select subpay.ticket_open('x', 'x', 'x', null, null, 'x') $$, '42501', null, 'nor call what is internal');
reset role;

set role subpay_worker;
select throws_ok('select * from subpay.orders', '42501', null, 'the worker cannot read a table');
select throws_ok('delete from subpay.provider_events', '42501', null, 'nor empty one');
select is((select count(*) from subpay.outbox_claim(gen_random_uuid(), 10, 60)), 1::bigint, 'it takes mail out');
select results_eq(format('select verdict from subpay.settle(%L, ''reconcile'', ''worker'')', :'fact'), $$ values ('already') $$, 'it settles');
select throws_ok($$ select subpay.order_complete(null, null, null, null, null, null) $$, '42501', null, 'but by the one door only');
reset role;

select * from finish();
rollback;
