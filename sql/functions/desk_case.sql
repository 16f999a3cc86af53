-- subpay.desk_case: one customer's case on one screen: what money moved, what access was
-- granted, what was written to them, and everything that happened. Null: no such order.
--
-- Moments are {iso, text}; amounts come as text beside the whole minor units.
create or replace function subpay.desk_case(in_reference text) returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
declare
    o subpay.orders;
    s subpay.subscriptions;
    a subpay.accounts;
    g subpay.grants;
begin
    select * into o from orders r where r.reference = upper(in_reference);
    if not found then
        return null;
    end if;
    select * into s from subscriptions u where u.order_id = o.id;
    select * into a from accounts c
     where c.id = s.account_id or s.id is null and c.email = email_fold(o.email);
    select * into g from grants r where r.order_id = o.id;

    return jsonb_strip_nulls(jsonb_build_object(
        'reference', o.reference, 'email', o.email, 'name', o.name, 'state', o.state,
        'diagnosis', diagnose(o.id), 'seen', desk_seen(o.id)::text,
        'order', jsonb_build_object(
            'id', o.id, 'title', o.title, 'product', o.product,
            'amount', o.amount, 'currency', o.currency,
            'amount_text', money_text(o.amount, o.currency), 'mode', o.mode,
            'lang', nullif(o.lang, 'en'),
            'period', o.period_text, 'credits', nullif(o.credits, 0),
            'provider', o.provider, 'checkout_id', o.checkout_id, 'payment_id', o.payment_id,
            'statement', o.statement, 'review_reason', o.review_reason,
            'failure', o.failure, 'processing', nullif(o.processing, false),
            'completed_via', o.completed_via, 'completed_by', o.completed_by,
            'created_at', moment(o.created_at), 'paid_at', moment(o.paid_at),
            'completed_at', moment(o.completed_at), 'bonus_days', nullif(o.bonus_days, 0),
            'access_delay_s', extract(epoch from o.access_delay)::bigint,
            'checkout_expires_at', moment(o.checkout_expires_at)),
        'payments', (
            select jsonb_agg(jsonb_build_object(
                       'payment_id', p.payment_id, 'charge_id', p.charge_id,
                       'customer_id', p.customer_id, 'amount', p.amount,
                       'currency', p.currency, 'amount_text', money_text(p.amount, p.currency),
                       'amount_refunded', p.amount_refunded,
                       'refunded_text', case when p.amount_refunded > 0 then
                           money_text(p.amount_refunded, p.currency) end,
                       'held', nullif(p.state = 'held', false),
                       'released', nullif(p.state = 'released', false),
                       'hold_until', case when p.state = 'held' then moment(p.hold_until) end,
                       'disputed', nullif(p.disputed, false), 'card_brand', p.card_brand,
                       'card_last4', p.card_last4, 'statement', p.statement,
                       'payer_email', case when email_fold(p.email) <> email_fold(o.email)
                                           then p.email end,
                       'paid_at', moment(p.paid_at), 'receipt_url', p.receipt_url,
                       'completes', nullif(p.payment_id is not distinct from o.payment_id,
                                           false),
                       payment_part(o, p), true,
                       'refundable', nullif(p.amount_refunded < p.amount
                                            and p.state <> 'released'
                                            and refund_allowed(p.provider, p.payment_id),
                                            false)) order by p.paid_at)
              from payments p where p.order_id = o.id),
        'refund_choices', refund_choices(o),
        'refunds', (
            select jsonb_agg(jsonb_build_object(
                       'refund_id', r.refund_id, 'amount_text', money_text(r.amount, p.currency),
                       'status', r.status, 'bank_reference', r.bank_reference,
                       'at', moment(r.said_at)) order by r.created_at)
              from payments p
              join refunds r on r.provider = p.provider and r.payment_id = p.payment_id
             where p.order_id = o.id),
        'refunds_asked', (
            select jsonb_agg(jsonb_build_object(
                       'amount_text', money_text((m.payload ->> 'amount')::bigint,
                                                 m.payload ->> 'currency'),
                       'by', m.payload ->> 'by', 'at', moment(m.created_at),
                       'tries', m.attempts, 'unclear', nullif(m.last_error is not null, false),
                       'dead', nullif(m.state = 'dead', false),
                       'problem', m.last_error) order by m.id)
              from outbox m
             where m.order_id = o.id and m.kind = 'refund' and m.state <> 'sent'),
        'disputes', (
            select jsonb_agg(jsonb_build_object(
                       'dispute_id', d.dispute_id, 'amount_text', money_text(d.amount, p.currency),
                       'status', d.status, 'reason', d.reason, 'due_by', moment(d.due_by),
                       'at', moment(d.said_at)) order by d.created_at)
              from payments p
              join disputes d on d.provider = p.provider and d.payment_id = p.payment_id
             where p.order_id = o.id),
        'warnings', (
            select jsonb_agg(jsonb_build_object(
                       'warning_id', w.warning_id, 'reason', replace(w.reason, '_', ' '),
                       'at', moment(w.said_at)) order by w.said_at)
              from payments p
              join fraud_warnings w on w.provider = p.provider
                                   and w.payment_id = p.payment_id
             where p.order_id = o.id),
        'refund_ask', (
            select jsonb_build_object(
                       'amount_text', money_text(k.amount, k.currency),
                       'amount_plain', split_part(money_text(k.amount, k.currency), ' ', 1),
                       'asked_by', k.asked_by, 'asked_at', moment(k.asked_at),
                       'why', k.reason, 'payment', k.payment_id,
                       'paid_at', moment(p.paid_at))
              from refund_asks k
              join payments p on p.provider = k.provider and p.payment_id = k.payment_id
             where k.order_id = o.id and k.confirmed_at is null
               and k.asked_at > now() - interval '7 days'
             order by k.id desc
             limit 1),
        'answers', (
            select jsonb_agg(jsonb_build_object(
                       'what', m.payload ->> 'what', 'by', m.payload ->> 'by',
                       'at', moment(m.created_at), 'sent', nullif(m.state = 'sent', false),
                       'dead', nullif(m.state = 'dead', false),
                       'problem', m.last_error) order by m.id)
              from outbox m
             where m.order_id = o.id and m.kind = 'dispute'),
        'duplicate_of', (select r.reference from orders r where r.id = o.duplicate_of),
        'access', case when s.id is not null then jsonb_build_object(
            'status', s.status, 'starts_at', moment(s.starts_at),
            'expires_at', moment(s.expires_at), 'ended_at', moment(s.ended_at),
            'open', nullif(s.status = 'active' and s.starts_at <= now()
                           and now() < coalesce(s.expires_at, 'infinity'), false)) end,
        'account', case when a.id is not null then jsonb_build_object(
            'email', a.email, 'credits', a.credits,
            'has_password', nullif(a.password_hash is not null, false)) end,
        'grant', case when g.order_id is not null then jsonb_build_object(
            'days', g.days, 'reason', g.reason, 'asked_by', g.asked_by,
            'asked_at', moment(g.asked_at), 'given_by', g.given_by,
            'given_at', moment(g.given_at)) end,
        'mails', (
            select jsonb_agg(jsonb_build_object(
                       'template', m.template, 'to', m.recipient, 'state', m.state,
                       'tries', m.attempts, 'problem', m.last_error,
                       'queued_at', moment(m.created_at), 'sent_at', moment(m.sent_at),
                       'next_try_at', case when m.state in ('pending', 'sending')
                                           then moment(m.next_try_at) end) order by m.id)
              from outbox m where m.order_id = o.id and m.kind = 'mail'),
        'tickets', (
            select jsonb_agg(jsonb_build_object(
                       'reference', t.reference, 'kind', t.kind, 'subject', t.subject,
                       'state', t.state, 'owner', t.owner, 'due_at', moment(t.due_at),
                       'open', nullif(t.state <> 'solved', false)) order by t.id)
              from tickets t where t.order_id = o.id),
        'others', (
            select jsonb_agg(jsonb_build_object(
                       'reference', r.reference, 'state', r.state, 'title', r.title,
                       'amount_text', money_text(r.amount, r.currency),
                       'created_at', moment(r.created_at)) order by r.created_at desc)
              from (select * from orders e
                     where email_fold(e.email) = email_fold(o.email) and e.id <> o.id
                     order by e.created_at desc limit 10) r),
        'timeline', desk_timeline(o)));
end
$$;
