-- subpay.period_store: the row of a period that was paid. Internal.
create or replace function subpay.period_store(in_fact subpay.fact, in_order uuid)
returns void
language sql
as $$
    insert into subpay.periods as p (provider, invoice_id, renewal_id, order_id, state,
                                     payment_id, amount, currency, starts_at, ends_at,
                                     paid_at)
    values (in_fact.provider, in_fact.invoice_id, in_fact.renewal_id, in_order, 'paid',
            in_fact.payment_id, in_fact.amount, in_fact.currency,
            to_timestamp(in_fact.period_start), to_timestamp(in_fact.period_end),
            to_timestamp(coalesce(in_fact.paid_at, in_fact.at)))
        on conflict (invoice_id, provider) do update
       set state = 'paid', payment_id = excluded.payment_id, amount = excluded.amount,
           currency = excluded.currency, starts_at = excluded.starts_at,
           ends_at = excluded.ends_at, paid_at = excluded.paid_at, next_try_at = null,
           tries = 0, pay_url = null
$$;
