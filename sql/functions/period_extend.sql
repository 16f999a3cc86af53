-- subpay.period_extend: what follows from one more paid period, besides the time itself:
-- credits, a line of receipt by mail, the audit, and a person where it was not as sold.
-- Where there is no access (refunded, suspended), only a person. Called once for each
-- invoice. Internal.
create or replace function subpay.period_extend(
    in_order subpay.orders, in_fact subpay.fact, in_via text, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    s subpay.subscriptions;
begin
    select * into s from subscriptions u where u.order_id = in_order.id;
    if in_order.state = 'refunded' or s.status = 'refunded' then
        perform ticket_open('renewed_after_refund',
            'renewed_after_refund:' || in_fact.invoice_id,
            'A plan that was refunded was charged again', in_order.id, in_order.email,
            format('Payment %s (%s) came for order %s after it had been refunded. It gives'
                   ' no access: refund it. The renewal is being stopped.',
                   in_fact.payment_id, money_text(in_fact.amount, in_fact.currency),
                   in_order.reference));
        return settle_answer('updated', 'refunded', in_order);
    elsif s.status is distinct from 'active' then
        perform ticket_open('renewed_after_refund',
            'renewed_after_refund:' || in_fact.invoice_id,
            case s.status when 'suspended' then 'A plan was paid while it is disputed'
                          else 'A plan that had ended was charged again' end,
            in_order.id, in_order.email,
            format(case s.status when 'suspended' then
                       'Payment %s (%s) came for order %s while a dispute withholds its'
                       ' access. It opens nothing now, and brings no credits: refund it,'
                       ' unless the dispute is to be won; then its time counts.'
                   else
                       'Payment %s (%s) came for order %s, which gives no access any more:'
                       ' refund it, and see that it is not charged again.' end,
                   in_fact.payment_id, money_text(in_fact.amount, in_fact.currency),
                   in_order.reference));
        return settle_answer('updated', s.status, in_order);
    end if;
    insert into credit_transactions (account_id, amount, order_id, reason)
    select s.account_id, in_order.credits, in_order.id, 'renewal:' || in_fact.invoice_id
     where in_order.credits > 0;
    perform period_credits(in_order.id);  -- its money may have gone back before we heard
    -- The purchase itself, told late, is no renewal.
    if exists (select from periods p
                where p.order_id = in_order.id and p.state = 'paid'
                  and p.starts_at < to_timestamp(in_fact.period_start)) then
        insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
        values ('mail', 'renewed', 'renewed:' || in_fact.invoice_id, in_order.id,
                in_order.email,
                jsonb_build_object('money', jsonb_build_object(
                    'amount', money_text(in_fact.amount, in_fact.currency))))
            on conflict (dedupe_key) do nothing;
        perform outbox_wake();
    end if;
    perform audit_add(in_actor, 'renewal.extended', in_order.id, s.account_id, in_via, null,
        jsonb_build_object('invoice', in_fact.invoice_id, 'payment', in_fact.payment_id,
                           'expires_at', s.expires_at));
    if (in_fact.amount, in_fact.currency) <> (in_order.amount, in_order.currency) then
        perform ticket_open('renewal_amount',
            format('renewal_amount:%s:%s', in_order.id, in_fact.amount),
            'A renewal cost something else than the plan', in_order.id, in_order.email,
            format('Order %s was sold for %s; the provider charged %s for a period, and'
                   ' access was extended. If that was meant (a voucher, a new price),'
                   ' nothing is to be done.', in_order.reference,
                   money_text(in_order.amount, in_order.currency),
                   money_text(in_fact.amount, in_fact.currency)));
    end if;
    return settle_answer('updated', 'extended', in_order);
end
$$;
