-- install.sql: the whole database through psql, for those who prefer it to subpayctl:
--
--     cd sql && psql -d subpay -f install.sql
--
-- Migrations that are applied already are left out; functions and rights are replaced.
-- `subpayctl migrate` does the same, and either may follow the other at any time.
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on

begin;
\ir bootstrap.sql
commit;

\set file schema/0001_words.sql
\ir install_one.sql
\set file schema/0002_orders.sql
\ir install_one.sql
\set file schema/0003_facts.sql
\ir install_one.sql
\set file schema/0004_effects.sql
\ir install_one.sql
\set file schema/0005_worker.sql
\ir install_one.sql
\set file schema/0006_order_row.sql
\ir install_one.sql
\set file schema/0007_access.sql
\ir install_one.sql
\set file schema/0008_searches.sql
\ir install_one.sql
\set file schema/0009_desk.sql
\ir install_one.sql
\set file schema/0010_credits.sql
\ir install_one.sql
\set file schema/0011_search_leases.sql
\ir install_one.sql
\set file schema/0012_notify.sql
\ir install_one.sql
\set file schema/0013_alarms.sql
\ir install_one.sql
\set file schema/0014_renewals.sql
\ir install_one.sql
\set file schema/0015_renewals_disputed.sql
\ir install_one.sql
\set file schema/0016_holds.sql
\ir install_one.sql
\set file schema/0017_money_back.sql
\ir install_one.sql
\set file schema/0018_desk_more.sql
\ir install_one.sql
\set file schema/0019_desk_people.sql
\ir install_one.sql
\set file schema/0020_language.sql
\ir install_one.sql
\set file schema/0021_forgetting.sql
\ir install_one.sql
\set file schema/0022_order_access.sql
\ir install_one.sql
\set file schema/0023_renewal_credits.sql
\ir install_one.sql
\set file schema/0024_asked_and_old.sql
\ir install_one.sql
\set file schema/0025_renewals_let_go.sql
\ir install_one.sql
\set file schema/0026_bank_reference.sql
\ir install_one.sql
\set file schema/0027_payments_asked.sql
\ir install_one.sql
\set file schema/0028_overtaken.sql
\ir install_one.sql

\set functions `cat functions/*.sql`
\set names `ls functions | sed 's/[.]sql$//'`
begin;
select pg_advisory_xact_lock(hashtext('subpay migrate')) \g /dev/null
-- One that answers otherwise than it did cannot be replaced; what a table needs stays.
select format('drop function %s', p.oid::regprocedure)
  from pg_proc p
 where p.pronamespace = 'subpay'::regnamespace
   and p.proname = any (string_to_array(:'names', E'\n'))
   and not exists (select from pg_depend d
                    where d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid
                      and d.deptype = 'n') \gexec
:functions
\ir roles.sql
commit;

select 'subpay: at version ' || max(version) from subpay.schema_migrations;
