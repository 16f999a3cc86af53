-- 0009_desk: the desk of the people in support: what they search by, what they did.

-- A customer reads any of these off a receipt or a statement.
create index payments_charge on subpay.payments (charge_id);
create index payments_customer on subpay.payments (customer_id) where customer_id is not null;
create index payments_email on subpay.payments (subpay.email_fold(email));
create index payments_card on subpay.payments (card_last4, amount, paid_at);

-- What the provider told us of one order, for its timeline.
create index provider_events_order on subpay.provider_events (order_id)
    where order_id is not null;

-- Each press of a button, by the key of the form it came from: a double click, a resent
-- form or a stale tab meets what was done already.
create table subpay.desk_actions (
    form_key uuid primary key,
    action   text not null,
    actor    text not null,
    order_id uuid,
    answer   jsonb not null,
    at       timestamptz not null default now());

-- Access that nobody paid for: one person asks, another one gives it.
create table subpay.grants (
    order_id uuid primary key references subpay.orders on delete cascade,
    days     int not null check (days between 1 and 366),
    reason   text not null,
    asked_by text not null,
    asked_at timestamptz not null default now(),
    given_by text check (given_by <> asked_by),
    given_at timestamptz,
    check ((given_by is null) = (given_at is null)));

create index audit_recent on subpay.audit (at desc) where action like 'support.%';
