-- subpay.warning_settle: the card network takes a payment for fraud. No dispute yet, and a
-- refund now may avoid one: a person decides, while it still helps. The order's row is
-- locked, the payment's row is there.
--
-- dispute_id is the warning's own id, status actionable or closed. Internal.
create or replace function subpay.warning_settle(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    p subpay.payments;
begin
    insert into fraud_warnings (provider, warning_id, payment_id, reason, said_at)
    values (in_fact.provider, in_fact.dispute_id, in_fact.payment_id, in_fact.reason,
            coalesce(to_timestamp(in_fact.at), now()))
        on conflict do nothing;
    if not found then
        return settle_answer('already', null, in_order);
    end if;
    select * into p
      from payments
     where provider = in_fact.provider and payment_id = in_fact.payment_id;
    perform audit_add(in_actor, 'payment.fraud_warning', in_order.id, null, in_fact.reason);
    if in_fact.status = 'actionable' and p.amount_refunded < p.amount and not p.disputed then
        perform ticket_open('fraud_warning', 'fraud_warning:' || in_fact.dispute_id,
            'The card network takes a payment for fraud', in_order.id, in_order.email,
            format('Payment %s, %s (%s). A refund in full, now, most likely keeps the'
                   ' dispute and its fee away. If you know the customer, leave it.',
                   p.payment_id, money_text(p.amount, p.currency),
                   replace(coalesce(in_fact.reason, 'no reason named'), '_', ' ')));
    end if;
    return settle_answer('updated', null, in_order);
end
$$;
