-- subpay.refund_settle: a refund's present state. The order's row is locked, the
-- payment's row is there.
--
-- A refund only goes on: pending, succeeded, then failed or cancelled, which can follow a
-- success. So the word that is further along wins, whatever the clocks say. The customer
-- hears of it when it has succeeded, and hears the correction when it fails after that;
-- access and credits follow the sum (order_follow). Internal.
create or replace function subpay.refund_settle(
    in_order subpay.orders, in_fact subpay.fact, in_via text, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    rules subpay.settings;
    p subpay.payments;
    o subpay.orders := in_order;
    answer subpay.settled;
begin
    -- Comes days later, with a status that is known.
    update refunds
       set bank_reference = in_fact.bank_reference
     where provider = in_fact.provider and refund_id = in_fact.refund_id
       and in_fact.bank_reference is not null;
    -- Asked before it is tried: the check of what refunds sum to runs before a conflict is
    -- met, and would count a stale success beside what came after the failure.
    perform from refunds r
      where r.provider = in_fact.provider and r.refund_id = in_fact.refund_id
        and status_rank(r.status) >= status_rank(in_fact.status);
    if found then
        return settle_answer('already', null, in_order);
    end if;
    insert into refunds as r (provider, refund_id, payment_id, amount, status, reason,
                              bank_reference, said_at)
    values (in_fact.provider, in_fact.refund_id, in_fact.payment_id, in_fact.amount,
            in_fact.status, in_fact.reason, in_fact.bank_reference,
            coalesce(to_timestamp(in_fact.at), now()))
        on conflict (provider, refund_id) do update
       set status = excluded.status, reason = coalesce(excluded.reason, r.reason),
           said_at = excluded.said_at
     where status_rank(excluded.status) > status_rank(r.status);
    if not found then
        return settle_answer('already', null, in_order);
    end if;

    update payments
       set amount_refunded = refunded_total(provider, payment_id, refunded_said)
     where provider = in_fact.provider and payment_id = in_fact.payment_id;
    select * into p
      from payments
     where provider = in_fact.provider and payment_id = in_fact.payment_id;

    o := order_follow(in_order, p, in_actor);
    if o.state = 'refunded' and o.completed_at is null and p.amount_refunded < p.amount then
        -- It had gone back before we ever heard of it, and now it has not.
        if o.review_reason is not null then
            o := order_review_again(o, p, in_actor);
        else
            select * into rules from settings;
            answer := order_complete(o, p, null, rules, in_via, in_actor);
        end if;
    end if;
    if in_fact.status = 'succeeded' then
        perform refund_mail(o.id, in_fact);
    elsif in_fact.status <> 'pending' then
        perform refund_failed(o.id, in_fact);
    end if;
    if in_fact.status in ('pending', 'succeeded') then
        perform desk_solve(m.order_id, 'duplicate', 'system',
                           format('Refund %s is made.', in_fact.refund_id))
           from outbox m
          where m.order_id = o.id and m.kind = 'refund'
            and m.payload ->> 'payment_id' = p.payment_id
            and m.payload ->> 'why' = 'duplicate';
    end if;
    return coalesce(answer,
                    settle_answer(case when o.state <> in_order.state
                                            and o.state = 'refunded'
                                       then 'closed' else 'updated' end,
                                  case when o.state <> in_order.state
                                            and o.state = 'refunded'
                                       then 'refunded' end, o));
end
$$;
