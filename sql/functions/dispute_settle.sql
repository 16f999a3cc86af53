-- subpay.dispute_settle: a dispute's present state. The order's row is locked, the
-- payment's row is there.
--
-- The newer word wins, as for refunds. Access is withheld when a dispute is lost and
-- given back when it is won after all (either can follow the other); while it is open a
-- person has a deadline, and the customer keeps what was paid for. Internal.
create or replace function subpay.dispute_settle(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    deadline constant timestamptz := to_timestamp(in_fact.due_by);
    ticket bigint;
begin
    insert into disputes as d (provider, dispute_id, payment_id, amount, status, reason,
                               due_by, said_at)
    values (in_fact.provider, in_fact.dispute_id, in_fact.payment_id, in_fact.amount,
            in_fact.status, in_fact.reason, deadline,
            coalesce(to_timestamp(in_fact.at), now()))
        on conflict (provider, dispute_id) do update
       set status = excluded.status, reason = coalesce(excluded.reason, d.reason),
           due_by = coalesce(excluded.due_by, d.due_by), said_at = excluded.said_at
     where (excluded.said_at, status_rank(excluded.status))
           > (d.said_at, status_rank(d.status));
    if not found then
        return settle_answer('already', null, in_order);
    end if;

    update payments set disputed = true
     where provider = in_fact.provider and payment_id = in_fact.payment_id;
    update subscriptions
       set status = case in_fact.status when 'lost' then 'suspended' else 'active' end
     where order_id = in_order.id and in_order.payment_id = in_fact.payment_id
       and (status, in_fact.status) in (('active', 'lost'), ('suspended', 'won'));
    if found then
        perform audit_add(in_actor, 'dispute.' || in_fact.status, in_order.id, null,
                          'dispute ' || in_fact.dispute_id);
    end if;

    ticket := ticket_open('dispute', 'dispute:' || in_fact.dispute_id,
        'A customer disputes a payment', in_order.id, in_order.email,
        format('Dispute %s (%s) of payment %s. Do not refund it: the money has been'
               ' taken back already, and a refund would pay it twice.',
               in_fact.dispute_id, in_fact.reason, in_fact.payment_id));
    update tickets set due_at = least(due_at, deadline) where id = ticket;
    return settle_answer('updated', null, in_order);
end
$$;
