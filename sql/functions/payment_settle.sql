-- subpay.payment_settle: money moved for this order, or is held for it by the bank. The
-- order's row is locked.
--
-- Money wins: whatever was noted before (failed, cancelled, expired), a payment that
-- matches completes the order. One that does not match is a person's to decide.
-- Money that went back in full before we ever heard of it grants nothing and is not
-- welcomed. Internal.
create or replace function subpay.payment_settle(
    in_order subpay.orders, in_fact subpay.fact, in_rules subpay.settings,
    in_via text, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    stored record;
    p subpay.payments;
    was subpay.payments;
    mismatch text;
begin
    if in_fact.payment_id is null or in_fact.amount is null or in_fact.currency is null then
        raise exception 'a payment without id, amount or currency';
    end if;
    select * into was from payments w
     where w.provider = in_fact.provider and w.payment_id = in_fact.payment_id;
    stored := payment_store(in_fact, in_order.id);
    p := stored.payment;
    if p.order_id <> in_order.id then
        raise exception 'payment % belongs to another order', p.payment_id;
    end if;

    if was.state = 'held' and p.state = 'taken' then
        perform hold_taken(in_order, was, p, in_actor);
        select * into in_order from orders o where o.id = in_order.id;
    end if;

    if p.state = 'released' then
        return settle_answer('already', 'released', in_order);
    elsif in_order.completed_at is not null
          or in_order.state = 'refunded' and p.amount_refunded = p.amount then
        return payment_again(in_order, p, stored.changed, in_actor);
    end if;
    -- Adopted from a fact that named nobody; this one may.
    if in_order.email is null and fact_email(in_fact) is not null then
        update orders
           set email = fact_email(in_fact), updated_at = now()
         where id = in_order.id
        returning * into in_order;
    end if;
    mismatch := order_mismatch(in_order, in_fact);
    if p.amount_refunded = p.amount and p.amount > 0 then
        -- Should the refund fail, this decides what the order is then.
        if in_order.state <> 'review' or payment_beside(p) is null then
            in_order.review_reason := mismatch;
            update orders set review_reason = mismatch where id = in_order.id;
        end if;
        return order_refund(in_order, p, in_actor);
    end if;
    if mismatch is not null then
        return order_review(in_order, p, mismatch, in_actor);
    end if;
    return order_complete(in_order, p, in_fact.checkout_id, in_rules, in_via, in_actor);
end
$$;
