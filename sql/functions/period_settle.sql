-- subpay.period_settle: a period of a plan that renews was paid for. The order's row is
-- locked.
--
-- The first payment for an order that is open completes it, whichever period it was:
-- money wins. Each further one extends its one subscription, once for each invoice. What
-- the provider has charged counts even where the sum is another one (a voucher, a price
-- that was changed there): access follows, and a person is told once.
--
-- reason  extended  this call gave one more period
--         paid_twice  of a second renewal for the same order
-- Internal.
create or replace function subpay.period_settle(
    in_order subpay.orders, in_fact subpay.fact, in_rules subpay.settings,
    in_via text, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    r subpay.renewals;
    stored record;
    answer subpay.settled;
    o subpay.orders := in_order;
    is_new boolean;
    is_known boolean;
begin
    if in_fact.renewal_id is null or in_fact.invoice_id is null then
        raise exception 'a period without renewal or invoice';
    elsif in_fact.payment_id is null then
        -- settle_apply lets it pass only where the period is here already
        return settle_answer('already', null, o);
    end if;
    r := renewal_open(o, in_fact);
    is_known := exists (select from periods p
                         where p.provider = in_fact.provider
                           and p.invoice_id = in_fact.invoice_id and p.state = 'paid');

    if o.state not in ('completed', 'refunded') then
        if r.extra then  -- heard of later than another, but this one is paid
            r := renewal_prefer(r);
        end if;
        answer := payment_settle(o, in_fact, in_rules, in_via, in_actor);
        select * into o from orders x where x.id = in_order.id;
    else
        stored := payment_store(in_fact, o.id);
        if (stored.payment).order_id <> o.id then
            raise exception 'payment % belongs to another order', in_fact.payment_id;
        end if;
        answer := settle_answer(case when stored.changed then 'updated' else 'already' end,
                                null, o);
    end if;
    if is_known then
        return answer;
    end if;

    perform period_store(in_fact, o.id);
    if r.extra then
        return payment_again(o, stored.payment, true, in_actor);
    end if;
    perform renewal_reckon(o.id);
    perform renewal_heard(o.id);
    if o.payment_id is distinct from in_fact.payment_id and o.completed_at is not null then
        return period_extend(o, in_fact, in_via, in_actor);
    end if;
    return answer;
end
$$;
