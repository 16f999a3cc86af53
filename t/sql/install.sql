-- sql/install.sql: the whole database through psql alone, also twice, and nothing left out.
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset format unaligned
\pset tuples_only on
set client_min_messages = warning;
select current_database() as here, current_database() || '_install' as fresh \gset
\set tables `ls sql/schema | wc -l`

drop database if exists :"fresh";  -- of a run that was cut off
create database :"fresh" template template0;
\connect :"fresh"
\cd sql
\o /dev/null
\i install.sql
drop function subpay.checking_note(uuid);  -- an old version's answered otherwise
create function subpay.checking_note(in_order uuid) returns text language sql as 'select 1::text';
\i install.sql
\o
\cd ..
create temp table found as
select (select count(*) from subpay.schema_migrations) as migrations,
       (select max(version) from subpay.schema_migrations) as version,
       (select count(*) from pg_class where relnamespace = 'subpay'::regnamespace and relkind = 'r') as tables,
       (select count(*) from pg_proc where pronamespace = 'subpay'::regnamespace) as functions,
       (select string_agg(proname || '/' || pronargs, ' ' order by proname, pronargs) from pg_proc where pronamespace = 'subpay'::regnamespace) as names,
       (select bool_and(has_function_privilege('subpay_web', oid, 'execute')) from pg_proc
         where pronamespace = 'subpay'::regnamespace and proname in ('settle', 'order_place')) as web;
select migrations, version, tables, functions, names, web from found \gset a_
set role subpay_web;
select verdict as settled from subpay.settle('{"kind": "checkout.none", "provider": "stripe", "mode": "test"}', 'webhook', null) \gset
reset role;
\connect :"here"
set client_min_messages = warning;
drop database :"fresh";

select plan(8);
select is(:a_migrations, :tables, 'every file of sql/schema is named in install.sql');
select is(:a_version, :tables, 'their numbers have no gap');
select is(:a_tables, (select count(*)::int from pg_class where relnamespace = 'subpay'::regnamespace and relkind = 'r'),
    'the tables are those that subpayctl migrate makes');
select is(:a_functions, (select count(*)::int from pg_proc where pronamespace = 'subpay'::regnamespace), 'as many functions');
select is(:'a_names', (select string_agg(proname || '/' || pronargs, ' ' order by proname, pronargs) from pg_proc where pronamespace = 'subpay'::regnamespace),
    'the same functions');
select ok(:'a_web'::boolean, 'the web may execute them');
select is(:'settled'::text, 'ignored', 'and does');
select ok((select count(*) from pg_roles where rolname in ('subpay_owner', 'subpay_web', 'subpay_worker') and not rolsuper) = 3,
    'the roles are there');
select * from finish();
