-- subpay.anomaly_mend: put one anomaly right where that is safe: what a completed order
-- lacks is made, as order_complete would have; what a person must see gets its ticket.
-- True when something was done. A ledger that does not sum is never "corrected": that is
-- a person's.
create or replace function subpay.anomaly_mend(in_code text, in_order uuid) returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    o subpay.orders;
    p subpay.payments;
begin
    select * into o from orders where id = in_order for update;
    if in_code = 'no_subscription' and o.state = 'completed' then
        insert into subscriptions (order_id, account_id, product, starts_at, expires_at,
                                   renews)
        select o.id, a.id, o.product, o.completed_at,
               paid_until(o, o.completed_at),
               o.renews
          from accounts a
         where a.email = email_fold(o.email)
            on conflict (order_id) do nothing;
    elsif in_code = 'mail_not_sent' and o.state = 'completed' then
        insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
        values ('mail', 'recovered', 'welcome:' || o.id, o.id, o.email,
                jsonb_build_object('bonus_days', o.bonus_days,
                    'delay_s', extract(epoch from now() - o.paid_at)::int))
            on conflict (dedupe_key) do nothing;
        perform outbox_wake();
    elsif in_code in ('hold_waits', 'hold_late', 'hold_ends') then
        select * into p from payments h
         where h.order_id = o.id and h.state = 'held'
         order by h.payment_id = o.payment_id desc limit 1;
        if in_code = 'hold_waits' and o.state = 'completed' and found then
            perform capture_ask(o.id, p, ':' || extract(epoch from now())::bigint);
            perform outbox_wake();
        elsif in_code = 'hold_late' and o.state = 'completed' and found then
            perform ticket_open('capture_late', 'capture_late:' || p.payment_id,
                'Reserved money cannot be taken', o.id, o.email,
                format('Order %s has had access for a day, and its %s could not be taken'
                       ' so far: %s. It is tried until the bank lets go of it.',
                       o.reference, money_text(p.amount, p.currency),
                       (select m.last_error from outbox m
                         where m.order_id = o.id and m.kind = 'capture'
                         order by m.id desc limit 1)));
        elsif in_code = 'hold_ends' and o.state = 'review' and found then
            perform hold_let_go(o.id, p, 'system');
        end if;
    elsif in_code = 'review' and o.state = 'review' then
        perform ticket_open('review', 'review:' || o.id || ':' || now()::date,
            'A payment does not match its order', o.id, o.email,
            format('Order %s is in review (%s), and no open ticket said so.',
                   o.reference, o.review_reason));
        return true;
    elsif in_code = 'duplicate' and o.state = 'completed' then
        perform ticket_open('duplicate', 'duplicate:' || o.id,
            'One customer bought the same twice', o.id, o.email,
            format('Order %s has a twin that is paid as well. If that was a mistake,'
                   ' refund one.', o.reference));
        return true;
    else
        return false;
    end if;
    if found then
        perform audit_add('worker', 'anomaly.mended', o.id, null, in_code);
        return true;
    end if;
    return false;
end
$$;
