-- 0005_worker: what the workers know of each other and of what has been done.

-- Every run of every job. Several a minute: cleaned by age (retention), never needed
-- beyond its last good row of each kind.
create table subpay.runs (
    id          bigint generated always as identity primary key,
    kind        text not null check (kind in ('healing', 'events', 'orders', 'objects',
                                              'deep', 'anomalies', 'endpoint')),
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    ok          boolean,
    worker      uuid,
    counts      jsonb,
    error       text,
    constraint runs_finished check ((finished_at is null) = (ok is null)))
    with (fillfactor = 80);

create index runs_kind on subpay.runs (kind, id);

-- How far the provider's lists have been seen, moved only after a truthful success.
create table subpay.watermarks (
    name       text primary key,
    at         timestamptz,
    cursor     text,
    updated_at timestamptz not null default now());

create table subpay.workers (
    id         uuid primary key,
    host       text not null,
    pid        int not null,
    started_at timestamptz not null default now(),
    beat_at    timestamptz not null default now(),
    leader     boolean not null default false)
    with (fillfactor = 50);
