-- 0013_alarms: who was told of an alert and who has taken it; who waits for checkout.

-- page: a message at once, repeated until somebody takes it; today: in the digest;
-- log: on the page of alerts, and nowhere else.
alter table subpay.alerts drop constraint alerts_level_check;
update subpay.alerts set level = 'today' where level = 'digest';
alter table subpay.alerts
    add constraint alerts_level_check check (level in ('page', 'today', 'log')),
    add column sent     int not null default 0,  -- messages that were queued
    add column taken_by text,                    -- "I have it"
    add column taken_at timestamptz,
    add constraint alerts_taken check ((taken_by is null) = (taken_at is null));

-- Who wants to hear that payments work again. Gone once that was told.
create table subpay.resume_waits (
    id       bigint generated always as identity primary key,
    email    text not null,
    asked_at timestamptz not null default now());

create unique index resume_waits_email on subpay.resume_waits (subpay.email_fold(email));

-- /metrics counts for ever and must cost the same in a year: what is older than this
-- moment has been added up here.
create table subpay.metric_sums (
    name    text not null,
    label   text not null default '',
    bucket  int not null default 0,
    value   numeric not null,
    primary key (name, label, bucket));

create table subpay.metric_until (
    sole  boolean primary key default true check (sole),
    until timestamptz not null default '-infinity');

insert into subpay.metric_until default values;

create index payments_created on subpay.payments (created_at);
create index refunds_created on subpay.refunds (created_at);
