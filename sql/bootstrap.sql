-- bootstrap.sql: where migrations are written down. Run before any of them;
-- running it again changes nothing.
--
-- Whoever applies sql/schema/<version>_<name>.sql runs it and the insert of its row
-- here in one transaction, under pg_advisory_lock(hashtext('subpay migrate')).
set client_min_messages = warning;  -- "already exists, skipping" is the normal case

create schema if not exists subpay;

create table if not exists subpay.schema_migrations (
    version    int primary key,
    name       text not null,
    sha256     text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz not null default now());
