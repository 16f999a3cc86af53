-- install_one.sql: apply the migration :file unless it is applied. For install.sql.
\set sha `sha256sum < :file | cut -c1-64`

begin;
set local lock_timeout = '3s';  -- everybody queues behind a waiting ALTER TABLE
select pg_advisory_xact_lock(hashtext('subpay migrate')) \g /dev/null
select substr(:'file', 8, 4)::int as version \gset
select not exists (select from subpay.schema_migrations
                    where version = :version) as todo \gset
\if :todo
    \ir :file
    insert into subpay.schema_migrations (version, name, sha256)
    values (:version, :'file', :'sha');
\endif
commit;
