-- 0017_money_back: money that goes back by itself, refunds of two people, disputes that
-- are answered, and what a bank asks for as evidence.

alter table subpay.settings
    add column duplicates text not null default 'ticket'
        check (duplicates in ('refund', 'ticket')),
    add column refund_ends text not null default 'full'   -- which refund ends access
        check (refund_ends in ('full', 'any')),
    add column dispute_access text not null default 'keep' -- while a dispute is open
        check (dispute_access in ('keep', 'suspend')),
    add column auto_refund text not null default 'propose'
        check (auto_refund in ('propose', 'do')),
    add column auto_refund_after interval not null default '0', -- 0: never
    add column auto_refund_limit int not null default 10 check (auto_refund_limit >= 0),
    -- {"USD": 50000}: above this a second person confirms; {}: never
    add column refund_confirm jsonb not null default '{}';

-- The highest total that any word about this payment has named. What is refunded now
-- follows from it and from the single refunds, in whatever order they were told.
alter table subpay.payments add column refunded_said bigint not null default 0;
update subpay.payments p
   set refunded_said = p.amount_refunded where p.amount_refunded > 0;

-- The order that is kept, where this one was paid as well and goes back by itself.
alter table subpay.orders add column duplicate_of uuid references subpay.orders;

-- What the card network says before a dispute comes, if one comes.
create table subpay.fraud_warnings (
    provider   text not null,
    warning_id text not null,
    payment_id text not null,
    reason     text,
    said_at    timestamptz not null,
    created_at timestamptz not null default now(),
    primary key (provider, warning_id),
    foreign key (provider, payment_id)
        references subpay.payments (provider, payment_id));

create index fraud_warnings_payment on subpay.fraud_warnings (provider, payment_id);

-- A large refund: one person asks, another one confirms.
create table subpay.refund_asks (
    id           bigint generated always as identity primary key,
    order_id     uuid not null references subpay.orders,
    provider     text not null,
    payment_id   text not null,
    amount       bigint not null check (amount > 0),
    currency     text not null,
    reason       text not null,
    asked_by     text not null,
    asked_at     timestamptz not null default now(),
    confirmed_by text check (confirmed_by <> asked_by),
    confirmed_at timestamptz,
    check ((confirmed_by is null) = (confirmed_at is null)));

create unique index refund_asks_open on subpay.refund_asks (payment_id, provider)
    where confirmed_at is null;
create index refund_asks_order on subpay.refund_asks (order_id);

-- On which days somebody logged in, and used what a gate protects: the evidence that a
-- bank asks for. One row a day at most, whatever is clicked.
create table subpay.account_days (
    account_id uuid not null references subpay.accounts on delete cascade,
    day        date not null,
    logins     int not null default 0,
    used_at    timestamptz,                   -- the first use of that day
    primary key (account_id, day));

-- One more kind leaves by the outbox: an answer to a dispute. What earlier migrations
-- allow stays allowed.
do $$
declare
    rule text;
begin
    select pg_get_constraintdef(c.oid) into rule from pg_constraint c
     where c.conrelid = 'subpay.outbox'::regclass and c.conname = 'outbox_kind_check';
    alter table subpay.outbox drop constraint outbox_kind_check;
    execute format('alter table subpay.outbox add constraint outbox_kind_check'
                   ' check (kind = ''dispute'' or %s)', substr(rule, 7));
end
$$;

-- When the provider was last asked how an open dispute stands.
alter table subpay.disputes add column asked_at timestamptz;

create index disputes_open on subpay.disputes (asked_at)
    where status in ('warning', 'open', 'under_review');
