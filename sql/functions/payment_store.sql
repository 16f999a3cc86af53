-- subpay.payment_store: the row of a payment that succeeded, or that the bank holds for
-- us, made or completed by what this fact adds; changed is false when it added nothing.
-- Held becomes taken, never the other way; what was really taken is the amount.
--
-- Facts about one payment come several times, unordered, each knowing something else:
-- what is known stays, what was missing is filled in. The highest total of refunds that
-- was ever named is kept; what of it has failed after all is known from the refunds
-- themselves (refunded_total). So any order of the same facts ends in the same row.
-- Internal.
create or replace function subpay.payment_store(
    in_fact subpay.fact, in_order uuid, out changed boolean, out payment subpay.payments)
language plpgsql
as $$
begin
    insert into payments as p (
        provider, payment_id, order_id, charge_id, customer_id, mode, amount, currency,
        amount_refunded, refunded_said, disputed, card_brand, card_last4, statement,
        email, name, receipt_url, paid_at, state, hold_until)
    values (
        in_fact.provider, in_fact.payment_id, in_order, in_fact.charge_id,
        in_fact.customer_id, in_fact.mode, in_fact.amount, in_fact.currency,
        coalesce(in_fact.amount_refunded, 0), coalesce(in_fact.amount_refunded, 0),
        coalesce(in_fact.disputed, false),
        in_fact.card_brand, in_fact.card_last4, in_fact.statement, in_fact.email,
        in_fact.name, in_fact.receipt_url,
        to_timestamp(coalesce(in_fact.paid_at, in_fact.at)),
        case in_fact.kind when 'payment.authorised' then 'held' else 'taken' end,
        to_timestamp(in_fact.hold_until))
        on conflict (provider, payment_id) do update
       set order_id = coalesce(p.order_id, excluded.order_id),
           charge_id = coalesce(p.charge_id, excluded.charge_id),
           customer_id = coalesce(p.customer_id, excluded.customer_id),
           amount_refunded = case when excluded.refunded_said > p.refunded_said
               then subpay.refunded_total(p.provider, p.payment_id, excluded.refunded_said)
               else p.amount_refunded end,
           refunded_said = greatest(p.refunded_said, excluded.refunded_said),
           disputed = p.disputed or excluded.disputed,
           card_brand = coalesce(p.card_brand, excluded.card_brand),
           card_last4 = coalesce(p.card_last4, excluded.card_last4),
           statement = coalesce(p.statement, excluded.statement),
           email = coalesce(p.email, excluded.email),
           name = coalesce(p.name, excluded.name),
           receipt_url = coalesce(p.receipt_url, excluded.receipt_url),
           paid_at = least(p.paid_at, excluded.paid_at),
           amount = case when p.state <> 'taken' and excluded.state = 'taken'
                         then excluded.amount else p.amount end,
           state = case when excluded.state = 'taken' then 'taken' else p.state end,
           -- counted where it was taken, not where it was held
           created_at = case when p.state = 'held' and excluded.state = 'taken'
                             then now() else p.created_at end,
           hold_until = coalesce(p.hold_until, excluded.hold_until)
    returning p.* into payment;

    changed := found;  -- the trigger "same" drops an update that changes nothing
    if not changed then
        select * into payment
          from payments p
         where p.provider = in_fact.provider and p.payment_id = in_fact.payment_id;
    end if;
end
$$;
