-- subpay.retention_clean: forget what is older than it has to be, some rows a call; how
-- many that were. Called again until it is none.
--
-- in_events  what the provider told us, the runs of our looks at it, and on which days an
--            account was used; null: for ever.
--            Never sooner than 60 days: a provider brings the same event again for 30, and
--            the row is what keeps it from counting twice
-- in_mails   what we wrote and what was written to us: addresses and words. That a mail
--            went out, which and when, stays, and so does its key: it is not sent twice
-- in_audit   who did what; never what says how an order came to be as it is
--
-- Orders, payments, refunds, disputes and the ledger are the books and stay.
create or replace function subpay.retention_clean(
    in_events interval, in_mails interval, in_audit interval, in_limit int default 500)
returns int
language plpgsql security definer
set search_path = subpay, pg_temp
set subpay.hand = 'retention'
as $$
declare
    past constant text := 'past@erased.invalid';
    -- greatest() passes over null: what is kept for ever would go at the least age.
    events constant timestamptz := case when in_events is not null
        then now() - greatest(in_events, interval '60 days') end;
    mails constant timestamptz := case when in_mails is not null
        then now() - greatest(in_mails, interval '30 days') end;
    audits constant timestamptz := case when in_audit is not null
        then now() - greatest(in_audit, interval '1 year') end;
    total int := 0;
    gone int;
    emptied bigint[];
begin
    delete from provider_events e
     where (e.provider, e.event_id) in (
           select o.provider, o.event_id from provider_events o
            where o.received_at < events and o.state in ('processed', 'ignored')
            order by o.received_at limit in_limit);
    get diagnostics gone = row_count;
    total := total + gone;
    delete from account_days d where d.day < events;
    -- From the oldest on; the last good one of each kind is what the next is measured by.
    delete from runs r
     where r.id in (select o.id from (select k.id, k.started_at from runs k
                                       order by k.id limit in_limit) o
                     where o.started_at < events)
       and r.id not in (select max(k.id) from runs k where k.ok group by k.kind);
    get diagnostics gone = row_count;
    total := total + gone;

    update outbox m
       set recipient = case when m.recipient is not null then past end, payload = '{}',
           last_error = null,
           dedupe_key = case when m.recipient is null then m.dedupe_key
                        else erase_text(m.dedupe_key, array[m.recipient], 'past-' || m.id) end
     where m.id in (select o.id from outbox o
                     where o.created_at < mails and o.kind in ('mail', 'notify')
                       and o.state in ('sent', 'dead')
                       and (o.payload <> '{}' or o.kind = 'mail'
                            and o.recipient not like '%@erased.invalid')
                     limit in_limit);
    get diagnostics gone = row_count;
    total := total + gone;
    -- What a bank was told about somebody; which dispute it was about stays.
    update outbox m set payload = m.payload - 'evidence', last_error = null
     where m.id in (select o.id from outbox o
                     where o.created_at < mails and o.kind = 'dispute'
                       and o.state in ('sent', 'dead') and o.payload ? 'evidence'
                     limit in_limit);
    get diagnostics gone = row_count;
    total := total + gone;
    with old as (
        update tickets t
           set emptied_at = now(), email = null, name = null,
               subject = case t.kind when 'customer' then '[removed]' else t.subject end
         where t.id in (select o.id from tickets o
                         where o.solved_at < mails and o.emptied_at is null
                         order by o.solved_at limit in_limit)
        returning t.id)
    select coalesce(array_agg(old.id), '{}') into emptied from old;
    total := total + cardinality(emptied);
    update ticket_messages k
       set body = '[removed]',
           author = case when k.direction = 'in' and k.author like '%@%' then 'customer'
                    else k.author end
     where k.ticket_id = any (emptied) and k.author <> 'system';
    delete from searches s
     where s.id in (select o.id from searches o where o.done_at < mails limit in_limit);
    get diagnostics gone = row_count;
    total := total + gone;
    delete from resume_waits w where w.asked_at < mails;

    delete from audit a
     where a.id in (select o.id from audit o
                     where o.at < audits and o.action not like 'order.%'
                       and o.action <> 'support.grant' limit in_limit);
    get diagnostics gone = row_count;
    return total + gone;
end
$$;
