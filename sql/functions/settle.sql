-- subpay.settle: the one door. Lets one fact in, exactly once, whatever races.
--
-- One round trip, one transaction: store the event, find the order or adopt the
-- payment, lock it, check it, complete it, open the subscription, book the credits,
-- queue the e-mail, write the audit row, wake the worker. Called again, or by two roads
-- at once, it changes nothing the second time and says so. No other code completes an
-- order.
--
-- in_fact   what the provider says, in no provider's words (type subpay.fact)
-- in_via    the road: return, webhook, replay, reconcile, self_service, support
-- in_actor  who or what asked, for the audit; null: system
-- verdict   completed  this call completed the order
--           already    nothing to change: it was done before
--           updated    noted: a payment page, a failed attempt, more about a payment
--           closed     failed, cancelled, expired or refunded now
--           review     money moved, but does not match: a person decides
--           ignored    of no interest, or waiting for its payment; reason says which
--           failed     could not be applied: stored, will be tried again, alerted
--           parked     cannot be read: stored, ticketed
-- mail      the welcome queued by this call: confirmation or recovered
-- delay_s   from payment to access, on a completed order
--
-- A refusal is an answer. It raises only when the caller should repeat the whole call:
-- deadlock, serialization, a lock or statement timeout, a server shutting down or out
-- of room. Any other error is this fact's own: it is undone, kept and reported, so that
-- a poison row stops nothing but itself.
create or replace function subpay.settle(in_fact jsonb, in_via text, in_actor text)
returns subpay.settled
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
declare
    fact subpay.fact;
begin
    fact := fact_read(in_fact);
    return settle_apply(fact, in_fact, in_via, coalesce(in_actor, 'system'));
exception when others then
    -- classes 40 rollback, 53 resources, 57 intervention, 58 system; 55P03 lock timeout
    if sqlstate ~ '^(40|53|57|58)' or sqlstate = '55P03' then
        raise;
    end if;
    return settle_fail(in_fact, fact.kind is not null, sqlstate || ' ' || sqlerrm);
end
$$;
