-- subpay.dispute_settle: a dispute's present state. The order's row is locked, the
-- payment's row is there.
--
-- The newer word wins by the provider's clock, in the same second the one further along:
-- a bank may overturn its own decision. Access follows (order_follow): withheld when a
-- dispute is lost, back when it is won after all. While it is open a person has a
-- deadline, and the customer one letter. Internal.
create or replace function subpay.dispute_settle(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    p subpay.payments;
    d subpay.disputes;
begin
    insert into disputes as e (provider, dispute_id, payment_id, amount, status, reason,
                               due_by, said_at)
    values (in_fact.provider, in_fact.dispute_id, in_fact.payment_id, in_fact.amount,
            in_fact.status, in_fact.reason, to_timestamp(in_fact.due_by),
            coalesce(to_timestamp(in_fact.at), now()))
        on conflict (provider, dispute_id) do update
       set status = excluded.status, reason = coalesce(excluded.reason, e.reason),
           due_by = coalesce(excluded.due_by, e.due_by), said_at = excluded.said_at
     where (excluded.said_at, status_rank(excluded.status))
           > (e.said_at, status_rank(e.status))
    returning e.* into d;
    if not found then
        return settle_answer('already', null, in_order);
    end if;

    update payments set disputed = true
     where provider = in_fact.provider and payment_id = in_fact.payment_id;
    select * into p
      from payments
     where provider = in_fact.provider and payment_id = in_fact.payment_id;
    in_order := order_follow(in_order, p, in_actor, 'dispute.' || in_fact.status);
    perform dispute_ticket(in_order, d);
    if d.status = 'open' then
        perform dispute_mail(in_order, p, d);
    end if;
    return settle_answer('updated', null, in_order);
end
$$;
