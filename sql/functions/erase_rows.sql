-- subpay.erase_rows: the rows about a person lose whom they are about. Internal.
--
-- in_words  all that these rows may call the person; in_email the address, folded
create or replace function subpay.erase_rows(
    in_orders uuid[], in_tickets bigint[], in_accounts uuid[], in_words text[],
    in_email text, in_instead text)
returns void
language plpgsql
set subpay.hand = 'erase'
as $$
begin
    delete from sessions s where s.account_id = any (in_accounts);
    delete from account_links l where l.account_id = any (in_accounts);
    delete from searches s
     where email_fold(s.email) = in_email or s.ticket_id = any (in_tickets);
    delete from resume_waits w where email_fold(w.email) = in_email;
    delete from account_days d where d.account_id = any (in_accounts);
    delete from checkings c where c.order_id = any (in_orders);

    update accounts a
       set email = case when a.id = in_accounts[1] then in_instead
                        else 'erased-' || left(gen_random_uuid()::text, 13)
                             || '@erased.invalid' end,
           name = null, password_hash = null
     where a.id = any (in_accounts);
    -- Without its token, no address in anybody's browser opens the order any more.
    update orders o
       set email = in_instead, name = null, token_hash = null, checkout_url = null,
           erased_at = now(), updated_at = now()
     where o.id = any (in_orders);
    update payments p set email = in_instead, name = null, receipt_url = null
     where p.order_id = any (in_orders) or email_fold(p.email) = in_email;
    update periods p set pay_url = null
     where p.order_id = any (in_orders) and p.pay_url is not null;
    update provider_events e
       set fact = fact_forget(e.fact), error = erase_text(e.error, in_words, in_instead)
     where e.order_id = any (in_orders) or email_fold(e.fact ->> 'email') = in_email
        or e.fact ->> 'payment_id' in (select p.payment_id from payments p
                                        where p.order_id = any (in_orders));

    update outbox m
       set recipient = case when m.recipient is not null then in_instead end,
           payload = case m.kind when 'mail' then '{}'
                     else erase_text(m.payload::text, in_words, in_instead)::jsonb end,
           dedupe_key = erase_text(m.dedupe_key, in_words, in_instead),
           last_error = erase_text(m.last_error, in_words, in_instead)
     where m.order_id = any (in_orders) or m.ticket_id = any (in_tickets)
        or email_fold(m.recipient) = in_email;
    -- What is tried in vain for days reaches nobody now, and is not to be tried again.
    update outbox m
       set state = 'sent', sent_at = now(), last_error = 'not sent: the customer has been erased'
     where m.recipient = in_instead and m.state = 'pending';

    update ticket_messages k
       set body = case when k.author = 'system' then erase_text(k.body, in_words, in_instead)
                       else '[erased]' end,
           author = erase_text(k.author, in_words, in_instead),
           message_id = erase_text(k.message_id, in_words, in_instead)
     where k.ticket_id = any (in_tickets);
    update tickets t
       set email = in_instead, name = null,
           subject = case t.kind when 'customer' then '[erased]'
                     else erase_text(t.subject, in_words, in_instead) end
     where t.id = any (in_tickets);
    update audit a
       set actor = erase_text(a.actor, in_words, in_instead),
           reason = erase_text(a.reason, in_words, in_instead),
           before = erase_text(a.before::text, in_words, in_instead)::jsonb - 'name',
           after = erase_text(a.after::text, in_words, in_instead)::jsonb - 'name'
     where a.order_id = any (in_orders) or a.account_id = any (in_accounts)
        or a.ticket_id = any (in_tickets);
    -- The application's own keys: "order-of-ana@example.com" is hers where the row is.
    update credit_transactions c
       set idempotency_key = 'erased-' || c.id
     where c.account_id = any (in_accounts)
       and exists (select from unnest(in_words) w
                    where strpos(lower(c.idempotency_key), lower(w)) > 0);
    update grants g set reason = erase_text(g.reason, in_words, in_instead)
     where g.order_id = any (in_orders);
    update refund_asks r set reason = erase_text(r.reason, in_words, in_instead)
     where r.order_id = any (in_orders);
    update desk_actions d
       set answer = erase_text(d.answer::text, in_words, in_instead)::jsonb
     where d.order_id = any (in_orders);
end
$$;
