-- 0021_forgetting: what is kept how long, and how one person is forgotten.
--
-- Bookkeeping keeps orders, payments, refunds and the ledger for as long as the law says;
-- what names a person goes: everywhere at once when they ask (person_erase), and by age
-- (retention_clean).

-- This order's customer has been erased: what the provider still says of them stays
-- outside, see settle_apply.
alter table subpay.orders add column erased_at timestamptz;

-- The words of this ticket are gone, by age.
alter table subpay.tickets add column emptied_at timestamptz;
create index tickets_solved on subpay.tickets (solved_at)
    where solved_at is not null and emptied_at is null;

-- Cleaning by age walks from the oldest on. These tables grow by time, so that a BRIN
-- index finds the old end and costs an insert next to nothing.
create index audit_at on subpay.audit using brin (at) with (autosummarize = on);
create index searches_done on subpay.searches (done_at) where done_at is not null;

-- The tables that only grow have two narrow ways past, and each is open for the length of
-- one function (its "set subpay.hand"), which runs with the owner's rights: nobody else
-- may touch these tables at all, and nobody may execute an update or delete of his own.
--
--   erase      words about a person are replaced; whose row it is, when, what was done and
--              every sum stay as they are
--   retention  a row of the audit is taken away once it is a year old at least. What says
--              how an order came to be as it is stays with the order.
create or replace function subpay.only_grows() returns trigger
language plpgsql
as $$
declare
    hand constant text := current_setting('subpay.hand', true);
    words constant text[] := '{actor,reason,before,after,idempotency_key}';
    was jsonb;
begin
    if hand = 'erase' and tg_op = 'UPDATE' then
        if to_jsonb(new) - words = to_jsonb(old) - words then
            return new;
        end if;
    elsif hand = 'retention' and tg_op = 'DELETE' and tg_table_name = 'audit' then
        was := to_jsonb(old);
        if (was ->> 'at')::timestamptz < now() - interval '1 year'
           and was ->> 'action' not like 'order.%' and was ->> 'action' <> 'support.grant' then
            return old;
        end if;
    end if;
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

-- A mail to nobody: whichever road queues it for an erased customer, nothing leaves, and
-- nobody is called to look at a dead letter.
create function subpay.outbox_nobody() returns trigger
language plpgsql
as $$
begin
    new.state := 'sent';
    new.sent_at := now();
    new.payload := '{}';
    new.last_error := 'not sent: the customer has been erased';
    return new;
end
$$;

create trigger nobody before insert on subpay.outbox
    for each row when (new.recipient like '%@erased.invalid')
    execute function subpay.outbox_nobody();
