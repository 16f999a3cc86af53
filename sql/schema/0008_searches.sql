-- 0008_searches: people who say that they have paid, and what becomes of it.

-- One look for a payment: typed in by a customer, done by the worker, so that the page
-- which takes it in says the same, and as quickly, whatever is found.
create table subpay.searches (
    id          uuid primary key default gen_random_uuid(),
    form_key    uuid unique,
    email       text check (subpay.email_plausible(email)),  -- as typed
    reference   text,
    amount      bigint check (amount > 0),
    currency    text check (currency ~ '^[A-Z]{3}$'),
    day         date,
    last4       text check (last4 ~ '^[0-9]{4}$'),
    token_hash  bytea check (octet_length(token_hash) = 32), -- of the browser's own order
    ticket_id   bigint references subpay.tickets on delete cascade,
    state       text not null default 'open'
                check (state in ('open', 'found', 'none', 'unknown')),
    attempts    int not null default 0,
    next_try_at timestamptz not null default now(), -- while it is worked on: the lease's end
    lease       uuid,                               -- the fence: only its holder reports
    told_at     timestamptz,                        -- "still checking" has been said
    created_at  timestamptz not null default now(),
    done_at     timestamptz,
    constraint searches_done check ((state = 'open') = (done_at is null)),
    constraint searches_what check (
        coalesce(email, reference, last4, token_hash::text) is not null),
    constraint searches_card check (
        (last4 is null) = (amount is null) and (last4 is null) = (day is null)
        and (amount is null) = (currency is null)))
    with (fillfactor = 80);

create index searches_due on subpay.searches (next_try_at) where state = 'open';
create index searches_created on subpay.searches (created_at);

-- Orders whose customer came back while the provider gave no clear answer: within ten
-- minutes they hear from us, whatever the answer.
create table subpay.checkings (
    order_id uuid primary key references subpay.orders on delete cascade,
    since    timestamptz not null default now(),
    asked    int not null default 1,
    next_at  timestamptz not null default now() + interval '10 minutes'); -- tell them

create index checkings_due on subpay.checkings (next_at);

-- What the support form asks, and when the customer was told that it has arrived.
alter table subpay.tickets
    add column charged text check (charged in ('yes', 'no', 'unsure')),
    add column acknowledged_at timestamptz;

create index tickets_email on subpay.tickets (subpay.email_fold(email));

-- When people answer: "Mon-Fri 08:30-17:30 Europe/Berlin", as SubPaySupportHours says.
alter table subpay.settings
    add column support_hours text not null default 'Mon-Fri 09:00-17:00 UTC';
