-- 0003_facts: what the provider told us, and what settling it answers.

-- Every event once. The fact is kept, never the provider's whole body; only what cannot
-- be read stays as raw bytes. order_id has no foreign key: the record of what we were
-- told outlives the order it speaks of.
create table subpay.provider_events (
    provider     text not null,
    event_id     text not null,
    type         text,                   -- the provider's word, for people
    kind         text,                   -- ours
    created      timestamptz,            -- the provider's clock
    received_at  timestamptz not null default now(),
    processed_at timestamptz,
    state        text not null
                 check (state in ('received', 'processed', 'ignored', 'failed', 'parked')),
    reason       text,
    fact         jsonb,
    raw          bytea,
    error        text,
    attempts     int not null default 0, -- failed ones
    next_try_at  timestamptz,
    order_id     uuid,
    primary key (provider, event_id),
    -- "received" waits for the payment it speaks of; all three are still to be done.
    constraint provider_events_open check (
        (state in ('received', 'failed', 'parked')) = (next_try_at is not null)),
    constraint provider_events_reason check (
        state not in ('ignored', 'received') or reason is not null),
    constraint provider_events_content check (fact is not null or raw is not null));

create index provider_events_due on subpay.provider_events (next_try_at)
    where next_try_at is not null;
create index provider_events_received on subpay.provider_events (received_at);

-- The fact as C sends it (jsonb), typed. Absent keys are null.
create type subpay.fact as (
    kind text, provider text, mode text, event_id text, event_type text, at bigint,
    order_id uuid, checkout_id text, checkout_url text, checkout_expires bigint,
    payment_id text, charge_id text, customer_id text,
    amount bigint, currency text, amount_refunded bigint, disputed boolean,
    paid_at bigint, email text, name text, card_brand text, card_last4 text,
    statement text, failure text, receipt_url text,
    refund_id text, dispute_id text, status text, reason text, due_by bigint,
    ours boolean, reference text, order_email text, product text, title text,
    price bigint, price_currency text, period text, period_iso text,
    credits bigint, renews boolean, token_hash text, site text);

-- What settle answers.
create type subpay.settled as (
    verdict text, reason text, order_id uuid, reference text, state text,
    completed_via text, mail text, delay_s int);

-- What settle must know of the configuration: one row, stored by the worker at start.
create table subpay.settings (
    sole             boolean primary key default true check (sole),
    mode             text check (mode in ('test', 'live')),  -- null: not stored yet
    site             text,
    duplicate_window interval not null default '24 hours',
    goodwill_days    int not null default 7 check (goodwill_days >= 0),
    goodwill_after   interval not null default '10 minutes',
    late_after       interval not null default '2 minutes',
    updated_at       timestamptz not null default now());

insert into subpay.settings default values;

-- Decisions of people that functions obey, such as "checkout is paused".
create table subpay.switches (
    name text primary key,
    "on" boolean not null,
    by   text not null,
    at   timestamptz not null default now(),
    why  text);
