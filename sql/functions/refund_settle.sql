-- subpay.refund_settle: a refund's present state. The order's row is locked, the
-- payment's row is there.
--
-- The newer word wins by the provider's clock; in the same second, the one further
-- along (pending, succeeded, then failed or cancelled, which can follow a success).
-- A refund that failed takes its amount off the payment's total again; if that total
-- had ended the order, the customer has neither money nor access: a person is told.
-- Internal.
create or replace function subpay.refund_settle(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    p subpay.payments;
    was text;
    said constant timestamptz := to_timestamp(in_fact.at);
    moved boolean;
    answer subpay.settled;
begin
    select status into was
      from refunds
     where provider = in_fact.provider and refund_id = in_fact.refund_id
       for update;
    insert into refunds as r (provider, refund_id, payment_id, amount, status, reason,
                              said_at)
    values (in_fact.provider, in_fact.refund_id, in_fact.payment_id, in_fact.amount,
            in_fact.status, in_fact.reason, coalesce(said, now()))
        on conflict (provider, refund_id) do update
       set status = excluded.status, reason = coalesce(excluded.reason, r.reason),
           said_at = excluded.said_at
     where (excluded.said_at, status_rank(excluded.status))
           > (r.said_at, status_rank(r.status));
    moved := found;
    if not moved then
        return settle_answer('already', null, in_order);
    end if;

    update payments
       set amount_refunded = case
               when in_fact.status in ('pending', 'succeeded') then greatest(
                   amount_refunded,
                   (select sum(r.amount)
                      from refunds r
                     where r.provider = in_fact.provider
                       and r.payment_id = in_fact.payment_id
                       and r.status in ('pending', 'succeeded')))
               when was in ('pending', 'succeeded') then
                   greatest(0, amount_refunded - in_fact.amount)
               else amount_refunded end
     where provider = in_fact.provider and payment_id = in_fact.payment_id;
    select * into p
      from payments
     where provider = in_fact.provider and payment_id = in_fact.payment_id;

    if p.amount_refunded = p.amount
       and (in_order.payment_id = p.payment_id or in_order.state = 'review') then
        if in_order.state <> 'refunded' then
            answer := order_refund(in_order, p, in_actor);
        end if;
    elsif in_order.state = 'refunded' and in_order.payment_id = p.payment_id then
        perform ticket_open('refund_failed', 'refund_failed:' || in_fact.refund_id,
            'A refund failed after access had ended', in_order.id, in_order.email,
            format('Refund %s of order %s did not reach the customer, who has neither'
                   ' money nor access.', in_fact.refund_id, in_order.reference));
    end if;
    if in_fact.status in ('pending', 'succeeded') then
        perform refund_mail(in_order.id, in_fact);
    end if;
    return coalesce(answer, settle_answer('updated', null, in_order));
end
$$;
