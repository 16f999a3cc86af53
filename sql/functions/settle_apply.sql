-- subpay.settle_apply: one readable fact, inside settle's transaction.
--
-- Finds and locks the order first, then stores the event: the order's lock is what
-- makes all roads queue up, and taking it first everywhere is what keeps them from
-- deadlock. Internal.
create or replace function subpay.settle_apply(
    in_fact subpay.fact, in_raw jsonb, in_via text, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    rules subpay.settings;
    o subpay.orders;
    adopted boolean := false;
    refusal text;
begin
    select * into rules from settings;
    o := order_lock(in_fact);
    if o.erased_at is not null then  -- whom it is about stays outside
        in_raw := fact_forget(in_raw);
        in_fact := fact_read(in_raw);
    end if;

    -- Test money grants nothing in production, whatever else matches.
    if in_fact.mode <> coalesce(rules.mode, o.mode, in_fact.mode) then
        refusal := 'mode';
    elsif in_fact.kind in ('refund', 'dispute', 'warning') and not payment_known(in_fact) then
        refusal := 'payment_unknown';
    elsif in_fact.kind = 'period.paid' and in_fact.payment_id is null
          and not period_known(in_fact) then
        -- Whoever sent it could not ask which payment it was: the worker does.
        refusal := 'payment_unknown';
        perform period_ask(in_fact, o);
    elsif o.id is null and in_fact.kind not in ('refund', 'dispute', 'warning') then
        refusal := order_adoptable(in_fact, rules);
        if refusal is null then
            o := order_adopt(in_fact, in_actor);
            adopted := true;
        end if;
    elsif o.provider <> in_fact.provider then
        raise exception 'a fact of % names an order of %', in_fact.provider, o.provider;
    end if;

    if refusal is not null then
        return settle_refuse(in_fact, in_raw, o, refusal);
    end if;

    -- "Already processed" counts only while its order is here: a database restored
    -- from before the purchase may know the event and not the order.
    if not event_store(in_fact, in_raw, 'processed', null, o.id) and not adopted then
        return settle_answer('already', null, o);
    end if;

    case in_fact.kind
        when 'payment.succeeded', 'payment.authorised' then
            return payment_settle(o, in_fact, rules, in_via, in_actor);
        when 'period.paid' then
            return period_settle(o, in_fact, rules, in_via, in_actor);
        when 'period.failed' then
            return period_fail(o, in_fact, in_actor);
        when 'renewal' then
            return renewal_settle(o, in_fact, in_actor);
        when 'refund' then
            return refund_settle(o, in_fact, in_via, in_actor);
        when 'dispute' then
            return dispute_settle(o, in_fact, in_actor);
        when 'payment.void', 'checkout.expired' then
            return payment_void(o, in_fact, in_actor);
        when 'warning' then
            return warning_settle(o, in_fact, in_actor);
        else
            return order_note(o, in_fact, in_actor);
    end case;
end
$$;
