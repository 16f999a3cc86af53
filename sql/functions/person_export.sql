-- subpay.person_export: everything that is held about one person, as JSON; null when that
-- is nothing. Secrets (the hash of a password, of links and cookies) are no answer to
-- anybody and stay out; what the columns are called is what they are.
create or replace function subpay.person_export(in_email text) returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
declare
    folded constant text := email_fold(in_email);
    orders constant uuid[] := person_orders(in_email);
    tickets constant bigint[] := person_tickets(in_email, orders);
    account constant uuid := (select a.id from accounts a where a.email = folded);
    held jsonb;
begin
    held := jsonb_strip_nulls(jsonb_build_object(
        'account', (select to_jsonb(a) - 'password_hash'
                      from accounts a where a.id = account),
        'sessions', (select jsonb_agg(to_jsonb(s) - 'token_hash' order by s.created_at)
                       from sessions s where s.account_id = account),
        'days', (select jsonb_agg(to_jsonb(d) order by d.day)
                   from account_days d where d.account_id = account),
        'orders', (select jsonb_agg(to_jsonb(o) - '{token_hash,form_key}'::text[]
                                    order by o.created_at)
                     from orders o where o.id = any (orders)),
        'payments', (select jsonb_agg(to_jsonb(p) order by p.paid_at)
                       from payments p
                      where p.order_id = any (orders) or email_fold(p.email) = folded),
        'refunds', (select jsonb_agg(to_jsonb(r) order by r.said_at)
                      from refunds r
                      join payments p using (provider, payment_id)
                     where p.order_id = any (orders)),
        'disputes', (select jsonb_agg(to_jsonb(d) order by d.said_at)
                       from disputes d
                       join payments p using (provider, payment_id)
                      where p.order_id = any (orders)),
        'fraud_warnings', (select jsonb_agg(to_jsonb(f) order by f.said_at)
                             from fraud_warnings f
                             join payments p using (provider, payment_id)
                            where p.order_id = any (orders)),
        'refund_asks', (select jsonb_agg(to_jsonb(r) order by r.id)
                          from refund_asks r where r.order_id = any (orders)),
        'grants', (select jsonb_agg(to_jsonb(g))
                     from grants g where g.order_id = any (orders)),
        'subscriptions', (select jsonb_agg(to_jsonb(s) order by s.starts_at)
                            from subscriptions s where s.order_id = any (orders)),
        'renewals', (select jsonb_agg(to_jsonb(r) order by r.created_at)
                       from renewals r where r.order_id = any (orders)),
        'periods', (select jsonb_agg(to_jsonb(p) order by p.starts_at)
                      from periods p where p.order_id = any (orders)),
        'credits', (select jsonb_agg(to_jsonb(c) order by c.id)
                      from credit_transactions c
                     where c.account_id = account or c.order_id = any (orders)),
        'mails', (select jsonb_agg(jsonb_build_object(
                             'template', m.template, 'to', m.recipient, 'state', m.state,
                             'queued_at', m.created_at, 'sent_at', m.sent_at,
                             'order_id', m.order_id, 'payload', m.payload) order by m.id)
                    from outbox m
                   where m.kind = 'mail'
                     and (m.order_id = any (orders) or m.ticket_id = any (tickets)
                          or email_fold(m.recipient) = folded)),
        'tickets', (select jsonb_agg(to_jsonb(t) || jsonb_build_object('messages',
                               (select jsonb_agg(to_jsonb(k) order by k.id)
                                  from ticket_messages k where k.ticket_id = t.id))
                               order by t.id)
                      from tickets t where t.id = any (tickets)),
        'searches', (select jsonb_agg(to_jsonb(s) - '{token_hash,form_key,lease}'::text[]
                                      order by s.created_at)
                       from searches s
                      where email_fold(s.email) = folded or s.ticket_id = any (tickets)),
        'waits', (select jsonb_agg(to_jsonb(w) order by w.id)
                    from resume_waits w where email_fold(w.email) = folded),
        'events', (select jsonb_agg(jsonb_build_object(
                              'provider', e.provider, 'event_id', e.event_id,
                              'type', e.type, 'received_at', e.received_at,
                              'fact', e.fact - 'token_hash') order by e.received_at)
                     from provider_events e
                    where e.order_id = any (orders)
                       or email_fold(e.fact ->> 'email') = folded),
        'audit', (select jsonb_agg(to_jsonb(a) order by a.id)
                    from audit a
                   where a.order_id = any (orders) or a.account_id = account
                      or a.ticket_id = any (tickets))));
    return nullif(held, '{}');
end
$$;
