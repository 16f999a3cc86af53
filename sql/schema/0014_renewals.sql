-- 0014_renewals: plans that the provider charges again by itself.

-- What a fact may say of a renewal and of one period of it.
alter type subpay.fact
    add attribute renewal_id text,
    add attribute invoice_id text,
    add attribute period_start bigint,
    add attribute period_end bigint,
    add attribute is_first boolean,
    add attribute tries int,
    add attribute next_try bigint,
    add attribute pay_url text;

-- How long access goes on when a period is due and not paid yet.
alter table subpay.settings
    add column renewal_grace interval not null default '7 days';

-- A provider's promise to charge again. One counts for each order; a second one (a lost
-- reply may have left two payment pages, and both were paid) is kept to be stopped.
create table subpay.renewals (
    provider    text not null,
    renewal_id  text not null,
    order_id    uuid not null references subpay.orders,
    extra       boolean not null default false,
    state       text not null default 'active'
                check (state in ('active', 'stopping', 'ended')), -- stopping: runs out
    said_at     timestamptz not null default '-infinity',         -- the provider's time
    renews_at   timestamptz,             -- end of the present period, as they say
    wanted      text check (wanted in ('stop', 'resume')),  -- and not yet done there
    wanted_by   text,
    next_ask_at timestamptz,             -- null: nothing to ask
    asks        int not null default 0,  -- since it was last heard of
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (renewal_id, provider))
    with (fillfactor = 80);

create unique index renewals_one on subpay.renewals (order_id) where not extra;
create index renewals_order on subpay.renewals (order_id);
create index renewals_ask on subpay.renewals (next_ask_at) where next_ask_at is not null;

create trigger touch before update on subpay.renewals
    for each row execute function subpay.touch();

-- One period, keyed by its invoice: whoever hears of it first, and however often, it
-- counts once.
create table subpay.periods (
    provider    text not null,
    invoice_id  text not null,
    renewal_id  text not null,
    order_id    uuid not null references subpay.orders,
    state       text not null check (state in ('failed', 'paid')),
    payment_id  text,
    amount      bigint not null check (amount >= 0),
    currency    text not null check (currency ~ '^[A-Z]{3}$'),
    starts_at   timestamptz not null,    -- by the provider's calendar
    ends_at     timestamptz not null,
    tries       int not null default 0,
    next_try_at timestamptz,
    pay_url     text,
    paid_at     timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (invoice_id, provider),
    unique (payment_id, provider),
    foreign key (renewal_id, provider) references subpay.renewals (renewal_id, provider),
    foreign key (provider, payment_id, order_id)
        references subpay.payments (provider, payment_id, order_id),
    constraint periods_paid check ((state = 'paid') = (payment_id is not null)),
    constraint periods_span check (ends_at > starts_at))
    with (fillfactor = 85);

create index periods_order on subpay.periods (order_id);

create trigger touch before update on subpay.periods
    for each row execute function subpay.touch();

-- What was paid stays paid, for the same time and by the same payment.
create function subpay.periods_history() returns trigger
language plpgsql
as $$
begin
    raise exception 'period %: what was paid cannot change', old.invoice_id
        using errcode = 'restrict_violation', constraint = 'periods_history';
end
$$;

create trigger history before update on subpay.periods
    for each row
    when (old.state = 'paid'
          and (new.state, new.order_id, new.payment_id, new.amount, new.currency,
               new.starts_at, new.ends_at)
              is distinct from
              (old.state, old.order_id, old.payment_id, old.amount, old.currency,
               old.starts_at, old.ends_at))
    execute function subpay.periods_history();
create trigger no_delete before delete on subpay.periods
    for each row execute function subpay.only_grows();

-- Until then access goes on although the paid time is up, because the next period is
-- about to be paid; null: it ends with the paid time.
alter table subpay.subscriptions add column grace_until timestamptz;

create trigger access_changed_grace after update on subpay.subscriptions
    for each row when (new.grace_until is distinct from old.grace_until)
    execute function subpay.access_changed();

-- Money that went back takes the time along that it had bought; money that did not
-- arrive there after all brings it again.
create function subpay.payments_renewal() returns trigger
language plpgsql
as $$
begin
    perform subpay.renewal_reckon(new.order_id);
    return null;
end
$$;

create trigger renewal after update on subpay.payments
    for each row when ((new.amount_refunded = new.amount)
                       is distinct from (old.amount_refunded = old.amount))
    execute function subpay.payments_renewal();

-- Whoever got the money back is not charged again.
create function subpay.orders_renewal() returns trigger
language plpgsql
as $$
begin
    update subpay.renewals
       set wanted = 'stop', wanted_by = 'system', asks = 0, next_ask_at = now()
     where order_id = new.id and state = 'active' and wanted is distinct from 'stop';
    return null;
end
$$;

create trigger renewal after update of state on subpay.orders
    for each row when (new.state = 'refunded' and old.state <> 'refunded')
    execute function subpay.orders_renewal();

alter table subpay.runs drop constraint runs_kind_check;
alter table subpay.runs add constraint runs_kind_check
    check (kind in ('healing', 'events', 'orders', 'objects', 'deep', 'anomalies',
                    'endpoint', 'renewals', 'prices'));
