-- 0002_orders: who buys, what was ordered, which money moved, what access that gives.
--
-- The "never" of each table is a constraint here, so a bug in a function cannot break
-- it either. Money is whole minor units (bigint) with an ISO currency.

create table subpay.accounts (
    id            uuid primary key default gen_random_uuid(),
    email         text not null unique
                  check (email = subpay.email_fold(email)
                         and subpay.email_plausible(email)),
    name          text,
    password_hash text,
    credits       bigint not null default 0 check (credits >= 0),
    created_at    timestamptz not null default now())
    with (fillfactor = 90);

-- The intent to buy, with a snapshot of the product: a later price change must not
-- alter an order that the customer has already seen.
create table subpay.orders (
    id            uuid primary key,
    reference     text not null unique
                  check (reference ~ '^SP-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'),
    token_hash    bytea unique check (octet_length(token_hash) = 32),
    form_key      uuid unique,
    provider      text not null,
    mode          text not null check (mode in ('test', 'live')),
    email         text check (subpay.email_plausible(email)),  -- as typed; null: adopted
    name          text,
    product       text not null,
    title         text not null,
    amount        bigint not null check (amount > 0),
    currency      text not null check (currency ~ '^[A-Z]{3}$'),
    period        interval check (period > interval '0'),      -- null: no end
    period_text   text,                                        -- '1y', as configured
    credits       bigint not null default 0 check (credits >= 0),
    renews        boolean not null default false,
    site          text,

    state         text not null default 'pending'
                  check (state in ('pending', 'completed', 'failed', 'cancelled',
                                   'expired', 'review', 'refunded')),
    checkout_id         text,
    checkout_url        text,
    checkout_expires_at timestamptz,
    processing    boolean not null default false,  -- paid, the money is days away
    failure       text,                            -- the last failed attempt, their code
    left_at       timestamptz,                     -- the customer pressed "back"
    review_reason text,
    payment_id    text,                            -- of the payment that completed it
    statement     text,
    paid_at       timestamptz,
    completed_at  timestamptz,
    completed_via text check (completed_via in ('return', 'webhook', 'replay',
                                                'reconcile', 'self_service', 'support')),
    completed_by  text,
    access_delay  interval generated always as (completed_at - paid_at) stored,
    bonus_days    int not null default 0 check (bonus_days >= 0),

    next_ask_at   timestamptz,                     -- null: nothing to ask the provider
    asks          int not null default 0,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),

    unique (checkout_id, provider),  -- this way round: people search without a provider

    -- Completed means: when, how, for which payment are all known. What was completed
    -- stays so, or was refunded since; nothing else ever was.
    constraint orders_completed check (
        (completed_at is null) = (completed_via is null)
        and (completed_at is null or payment_id is not null)
        and (completed_at is null or state in ('completed', 'refunded'))
        and (state <> 'completed' or completed_at is not null)),
    constraint orders_review check (state <> 'review' or review_reason is not null))
    with (fillfactor = 80);

create index orders_email on subpay.orders (subpay.email_fold(email));
create index orders_ask on subpay.orders (next_ask_at) where next_ask_at is not null;
create index orders_completed on subpay.orders (completed_at)
    where completed_at is not null;
create index orders_review on subpay.orders (updated_at) where state = 'review';

-- What the provider says moved. A payment belongs to one order, or to none we know.
create table subpay.payments (
    provider        text not null,
    payment_id      text not null,
    order_id        uuid references subpay.orders,
    charge_id       text,
    customer_id     text,
    mode            text not null check (mode in ('test', 'live')),
    amount          bigint not null check (amount >= 0),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    amount_refunded bigint not null default 0,
    disputed        boolean not null default false,
    card_brand      text,
    card_last4      text,
    statement       text,
    email           text,     -- as typed at the provider; decides nothing
    name            text,
    receipt_url     text,
    paid_at         timestamptz,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    primary key (payment_id, provider),
    unique (provider, payment_id, order_id),   -- what orders_payment points at
    constraint payments_refunded check (amount_refunded between 0 and amount))
    with (fillfactor = 85);

create index payments_order on subpay.payments (order_id);

-- Completed without a payment is impossible: the payment exists, and is this order's.
alter table subpay.orders add constraint orders_payment
    foreign key (provider, payment_id, id)
    references subpay.payments (provider, payment_id, order_id);

-- What grants access. One for each completed order; later orders of the same plan
-- stack behind it. (A provider's renewals will be periods of one subscription, keyed by
-- their invoice, in a table of their own.)
create table subpay.subscriptions (
    id         uuid primary key default gen_random_uuid(),
    order_id   uuid not null unique references subpay.orders,
    account_id uuid not null references subpay.accounts,
    product    text not null,
    starts_at  timestamptz not null,
    expires_at timestamptz,                        -- null: no end
    status     text not null default 'active'
               check (status in ('active', 'ended', 'refunded', 'suspended')),
    renews     boolean not null default false,
    ended_at   timestamptz,
    created_at timestamptz not null default now(),
    check (expires_at > starts_at))
    with (fillfactor = 90);

create index subscriptions_account on subpay.subscriptions (account_id, product);

-- The ledger of credits. Append-only; its insert trigger keeps the balance, so the two
-- cannot drift apart, and the balance's own check refuses what it cannot cover.
create table subpay.credit_transactions (
    id              bigint generated always as identity primary key,
    account_id      uuid not null references subpay.accounts,
    amount          bigint not null check (amount <> 0),
    order_id        uuid references subpay.orders,
    reason          text not null,
    idempotency_key text,
    balance_after   bigint not null check (balance_after >= 0),
    created_at      timestamptz not null default now(),
    unique (order_id, reason),
    unique (account_id, idempotency_key));

create table subpay.refunds (
    provider   text not null,
    refund_id  text not null,
    payment_id text not null,
    amount     bigint not null check (amount > 0),
    status     text not null
               check (status in ('pending', 'succeeded', 'failed', 'cancelled')),
    reason     text,
    said_at    timestamptz not null,               -- the provider's time of this status
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (provider, refund_id),
    foreign key (provider, payment_id)
        references subpay.payments (provider, payment_id));

create index refunds_payment on subpay.refunds (provider, payment_id);

create table subpay.disputes (
    provider   text not null,
    dispute_id text not null,
    payment_id text not null,
    amount     bigint not null check (amount >= 0),
    status     text not null check (status in ('warning', 'open', 'under_review',
                                               'won', 'lost', 'closed')),
    reason     text,
    due_by     timestamptz,                        -- evidence must be in by then
    said_at    timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (provider, dispute_id),
    foreign key (provider, payment_id)
        references subpay.payments (provider, payment_id));

create index disputes_payment on subpay.disputes (provider, payment_id);


-- Triggers ---------------------------------------------------------------------------

-- For tables that only grow: raises for everybody, the owner included.
create function subpay.only_grows() returns trigger
language plpgsql
as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

create trigger only_grows before update or delete on subpay.credit_transactions
    for each row execute function subpay.only_grows();
create trigger only_grows_truncate before truncate on subpay.credit_transactions
    for each statement execute function subpay.only_grows();

create function subpay.credit_transactions_balance() returns trigger
language plpgsql
as $$
begin
    update subpay.accounts
       set credits = credits + new.amount
     where id = new.account_id
    returning credits into new.balance_after;
    return new;
end
$$;

create trigger balance before insert on subpay.credit_transactions
    for each row execute function subpay.credit_transactions_balance();

-- The regular expression in the table knows the form; the check symbol is worth one
-- call at insert, but not one at each of the order's updates.
create function subpay.orders_reference() returns trigger
language plpgsql
as $$
begin
    if right(new.reference, 1) is distinct from subpay.reference_check(
           substr(new.reference, 4, 4) || substr(new.reference, 9, 3)) then
        raise exception 'reference % has a wrong check symbol', new.reference
            using errcode = 'check_violation', constraint = 'orders_reference_check';
    end if;
    return new;
end
$$;

create trigger reference before insert or update of reference on subpay.orders
    for each row execute function subpay.orders_reference();

-- What was sold and what completed it are history. The triggers' conditions are short,
-- because they are read anew by each statement: the first is met only by a statement
-- that names one of the columns, which none of the functions does.
create function subpay.orders_history() returns trigger
language plpgsql
as $$
begin
    if (new.id, new.reference, new.provider, new.mode, new.product, new.amount,
        new.currency, new.period, new.credits)
       is distinct from
       (old.id, old.reference, old.provider, old.mode, old.product, old.amount,
        old.currency, old.period, old.credits)
       or old.completed_at is not null
          and (new.completed_at, new.completed_via, new.payment_id, new.paid_at)
              is distinct from
              (old.completed_at, old.completed_via, old.payment_id, old.paid_at) then
        raise exception 'order %: what was sold or completed cannot change', old.reference
            using errcode = 'restrict_violation', constraint = 'orders_history';
    end if;
    return new;
end
$$;

create trigger history_sold
    before update of id, reference, provider, mode, product, amount, currency, period,
                     credits on subpay.orders
    for each row execute function subpay.orders_history();
create trigger history_completed before update on subpay.orders
    for each row when (old.completed_at is not null)
    execute function subpay.orders_history();

-- A payment that has an order keeps it: never two orders for one payment, not even one
-- after the other.
create function subpay.payments_history() returns trigger
language plpgsql
as $$
begin
    raise exception 'payment %: its order and amount cannot change', old.payment_id
        using errcode = 'restrict_violation', constraint = 'payments_history';
end
$$;

create trigger history before update on subpay.payments
    for each row
    when (old.order_id is not null and new.order_id is distinct from old.order_id
          or (new.amount, new.currency, new.mode) is distinct from
             (old.amount, old.currency, old.mode))
    execute function subpay.payments_history();

-- Refunds never exceed the payment. The payment's row lock makes two refunds of one
-- payment queue up, so that each sees the other.
create function subpay.refunds_within() returns trigger
language plpgsql
as $$
declare
    paid bigint;
begin
    select p.amount into paid
      from subpay.payments p
     where p.provider = new.provider and p.payment_id = new.payment_id
       for no key update;
    if new.amount + (select coalesce(sum(r.amount), 0)
                       from subpay.refunds r
                      where r.provider = new.provider and r.payment_id = new.payment_id
                        and r.refund_id <> new.refund_id
                        and r.status in ('pending', 'succeeded')) > paid then
        raise exception 'refund % exceeds what was paid', new.refund_id
            using errcode = 'check_violation', constraint = 'refunds_within';
    end if;
    return new;
end
$$;

create trigger within before insert or update on subpay.refunds
    for each row when (new.status in ('pending', 'succeeded'))
    execute function subpay.refunds_within();

-- Facts about one payment come several times and mostly say the same again. An update
-- that would change nothing is not made; one that does carries its time. BEFORE
-- triggers fire in name order: "same" first.
create function subpay.touch() returns trigger
language plpgsql
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

create trigger same before update on subpay.payments
    for each row execute function suppress_redundant_updates_trigger();
create trigger touch before update on subpay.payments
    for each row execute function subpay.touch();
create trigger same before update on subpay.refunds
    for each row execute function suppress_redundant_updates_trigger();
create trigger touch before update on subpay.refunds
    for each row execute function subpay.touch();
create trigger same before update on subpay.disputes
    for each row execute function suppress_redundant_updates_trigger();
create trigger touch before update on subpay.disputes
    for each row execute function subpay.touch();
