-- 0004_effects: what leaves the database (outbox, alerts), and what people work on.

-- E-mails, alerts, provider calls: at least once, under a key that makes a repeat
-- harmless. Nothing is deleted; what could not be sent stays as "dead" and is told.
create table subpay.outbox (
    id           bigint generated always as identity primary key,
    kind         text not null
                 check (kind in ('mail', 'alert', 'heartbeat', 'refund', 'notify')),
    template     text,
    dedupe_key   text not null unique,
    order_id     uuid,
    ticket_id    bigint,
    recipient    text,
    payload      jsonb not null default '{}',
    state        text not null default 'pending'
                 check (state in ('pending', 'sending', 'sent', 'dead')),
    attempts     int not null default 0,
    next_try_at  timestamptz not null default now(), -- while sending: the lease's end
    lease        uuid,                               -- the fence: only its holder reports
    leased_by    uuid,
    leased_until timestamptz,
    last_error   text,
    message_id   text not null default gen_random_uuid()::text,
    created_at   timestamptz not null default now(),
    sent_at      timestamptz,
    constraint outbox_sent check ((state = 'sent') = (sent_at is not null)),
    constraint outbox_lease check (
        (state = 'sending') = (lease is not null)
        and (lease is null) = (leased_until is null)),
    constraint outbox_mail check (
        kind <> 'mail' or (template is not null and recipient is not null)))
    with (fillfactor = 70);

create index outbox_due on subpay.outbox (next_try_at)
    where state in ('pending', 'sending');
create index outbox_dead on subpay.outbox (id) where state = 'dead';
create index outbox_order on subpay.outbox (order_id);

-- The queue of the two people in support.
create table subpay.tickets (
    id         bigint generated always as identity (start with 1001) primary key,
    reference  text generated always as ('T-' || id::text) stored unique,
    kind       text not null,
    email      text,
    name       text,
    order_id   uuid references subpay.orders on delete set null,
    subject    text not null,
    state      text not null default 'open' check (state in ('open', 'waiting', 'solved')),
    owner      text not null default 'support',
    due_at     timestamptz not null,
    dedupe_key text unique,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    solved_at  timestamptz,
    constraint tickets_solved check ((state = 'solved') = (solved_at is not null)));

create index tickets_open on subpay.tickets (due_at) where state <> 'solved';
create index tickets_order on subpay.tickets (order_id);

create table subpay.ticket_messages (
    id         bigint generated always as identity primary key,
    ticket_id  bigint not null references subpay.tickets,
    direction  text not null check (direction in ('in', 'out', 'note')),
    author     text not null,
    body       text not null,
    message_id text unique,
    created_at timestamptz not null default now());

create index ticket_messages_ticket on subpay.ticket_messages (ticket_id);

-- Who did what to which order, and why. Append-only, and free of foreign keys: history
-- stays readable when what it speaks of has been cleaned away.
create table subpay.audit (
    id         bigint generated always as identity primary key,
    at         timestamptz not null default now(),
    actor      text not null,
    action     text not null,
    order_id   uuid,
    account_id uuid,
    ticket_id  bigint,
    reason     text,
    before     jsonb,
    after      jsonb);

create index audit_order on subpay.audit (order_id);

create trigger only_grows before update or delete on subpay.audit
    for each row execute function subpay.only_grows();
create trigger only_grows_truncate before truncate on subpay.audit
    for each statement execute function subpay.only_grows();

-- What somebody must be told. One open alert for each key; raising it again counts.
create table subpay.alerts (
    id        bigint generated always as identity primary key,
    key       text not null,
    level     text not null check (level in ('page', 'today', 'digest')),
    text      text not null,
    detail    jsonb not null default '{}',
    count     int not null default 1,
    raised_at timestamptz not null default now(),
    last_at   timestamptz not null default now(),
    told_at   timestamptz,               -- its message has left
    closed_at timestamptz);

create unique index alerts_open on subpay.alerts (key) where closed_at is null;
