-- 0019_desk_people: the two people at the desk: who looks at what, who has the week, which
-- mails belong together, who said thank you.

-- Who has which page open. A look, not an act: it may be lost in a crash.
create unlogged table subpay.desk_visits (
    place   text not null,                         -- a reference, or a ticket's
    actor   text not null,
    since   timestamptz not null default now(),
    last_at timestamptz not null default now(),
    primary key (place, actor))
    with (fillfactor = 50);

-- Who is on duty since when, and what the one before left for them to know.
create table subpay.duties (
    id     bigint generated always as identity primary key,
    person text not null,
    by     text not null,
    note   text not null default '',
    since  timestamptz not null default now());

-- The mails of a ticket: what the next one answers.
create index outbox_ticket on subpay.outbox (ticket_id) where ticket_id is not null;

-- A customer's message that asked for nothing more: both see it in the digest.
alter table subpay.tickets add column thanked_at timestamptz;
create index tickets_thanked on subpay.tickets (thanked_at) where thanked_at is not null;
