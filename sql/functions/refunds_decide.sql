-- subpay.refunds_decide: what goes back by itself. Called by the leading worker now and
-- then; how many payments it decided about or put before a person.
--
-- Money that could not be turned into access within SubPayAutoRefundAfter: a ticket with
-- the button ("propose"), or sent back ("do"), so many a day at most. Never while its
-- outcome is unknown (a refund on its way, or a word about the order that could not be
-- applied yet), and never under a dispute.
--
-- A duplicate whose refund has not gone through within four minutes gets its ticket: the
-- customer may ask.
create or replace function subpay.refunds_decide() returns int
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    rules subpay.settings;
    m subpay.outbox;
    done int := 0;
begin
    select * into rules from settings;
    for m in
        select * from outbox b
         where b.state in ('pending', 'sending') and b.kind = 'refund'
           and b.payload ->> 'why' = 'duplicate'
           and b.created_at < now() - interval '4 minutes'
           and not exists (select from tickets t where t.dedupe_key
                               = 'duplicate:' || (b.payload ->> 'payment_id'))
    loop
        perform ticket_open('duplicate', 'duplicate:' || (m.payload ->> 'payment_id'),
            'A second payment has not gone back yet', m.order_id,
            (select o.email from orders o where o.id = m.order_id),
            format('Payment %s is one too many. Its refund is decided and tried again by'
                   ' itself: %s.', m.payload ->> 'payment_id',
                   coalesce(m.last_error, 'not tried yet')));
        done := done + 1;
    end loop;
    if rules.auto_refund_after > interval '0' then
        done := done + refund_stranded(rules);
    end if;
    return done;
end
$$;
