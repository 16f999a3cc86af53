-- 0007_access: how a customer gets in: links to choose a password, sessions.
--
-- Of every secret only its SHA-256 is kept: who reads the database can use none.

-- Links that choose a password. One use, and a use ends all others of the account.
create table subpay.account_links (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    account_id uuid not null references subpay.accounts on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    check (expires_at > created_at));

create index account_links_account on subpay.account_links (account_id)
    where used_at is null;

-- Who is logged in, one row for each browser.
create table subpay.sessions (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    account_id uuid not null references subpay.accounts on delete cascade,
    created_at timestamptz not null default now(),
    seen_at    timestamptz not null default now(),   -- to within ten minutes
    expires_at timestamptz not null,
    revoked_at timestamptz,
    check (expires_at > created_at))
    with (fillfactor = 80);

create index sessions_account on subpay.sessions (account_id) where revoked_at is null;

-- The browser that paid may correct a mistyped address, once.
alter table subpay.orders add column email_corrected_at timestamptz;

-- What a gate needs to know of an account: one row for each plan, at least one. A
-- moment is epoch microseconds, and 0 for "no end".
create type subpay.account_row as (
    account_id uuid, email text, name text, credits bigint, has_password boolean,
    product text, title text, reference text, active boolean,
    starts_at bigint, expires_at bigint);


-- When something was last taken away from an account. Gates answer from a cache for
-- some seconds, and by grace while the database is away; what is older than this counts
-- no more. (What gives access needs no row: a refusal is never remembered.)
create table subpay.access_changes (
    account_id uuid primary key references subpay.accounts on delete cascade,
    at         timestamptz not null)
    with (fillfactor = 80);

create index access_changes_at on subpay.access_changes (at);

-- Writes it down, for nodes that do not listen now, and tells those that do: a cache
-- never outlives a refund, a log-out or a new password.
create function subpay.access_changed() returns trigger
language plpgsql
as $$
declare
    account constant uuid := coalesce(to_jsonb(old) ->> 'account_id',
                                      to_jsonb(old) ->> 'id');
begin
    insert into subpay.access_changes as c (account_id, at)
    select a.id, clock_timestamp() from subpay.accounts a where a.id = account
        on conflict (account_id) do update set at = greatest(c.at, excluded.at);
    perform pg_notify('subpay_access', account::text);
    return null;
end
$$;

create trigger access_changed after update on subpay.subscriptions
    for each row when ((new.account_id, new.product, new.status, new.starts_at, new.expires_at)
                       is distinct from
                       (old.account_id, old.product, old.status, old.starts_at, old.expires_at))
    execute function subpay.access_changed();
create trigger access_changed_delete after delete on subpay.subscriptions
    for each row execute function subpay.access_changed();
create trigger access_changed after update of password_hash, email on subpay.accounts
    for each row when ((new.password_hash, new.email)
                       is distinct from (old.password_hash, old.email))
    execute function subpay.access_changed();
create trigger access_changed after update of revoked_at on subpay.sessions
    for each row when (new.revoked_at is distinct from old.revoked_at)
    execute function subpay.access_changed();
