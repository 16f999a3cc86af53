-- subpay.money_waits: payments that we know of, and whose buyer has no access: one row
-- each, the longest wait first. Reads what is open only, by index.
--
-- Not those in review, where a person decides and a ticket has the time, nor what the
-- bank questions. cause: the key of the alert: "money", or "poison:<error>" where the
-- payment's event cannot be settled. Internal.
create or replace function subpay.money_waits()
returns table (cause text, order_id uuid, reference text, amount bigint, currency text,
               since timestamptz, asks int)
language plpgsql stable
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        select 'money', o.id, o.reference, p.amount - p.amount_refunded, p.currency::text,
               coalesce(p.paid_at, p.created_at), o.asks
          from orders o
          join payments p on p.order_id = o.id
         where o.next_ask_at is not null and p.amount_refunded < p.amount
           and p.state <> 'released'
           and not p.disputed
           and o.state in ('pending', 'failed', 'cancelled', 'expired')
        union all
        select 'poison:' || left(e.error, 5), e.about, o.reference, e.amount, e.currency,
               e.since, e.tries
          from (select distinct on (v.fact ->> 'order_id')
                       v.error, v.attempts as tries, (v.fact ->> 'order_id')::uuid as about,
                       (v.fact ->> 'amount')::bigint as amount,
                       v.fact ->> 'currency' as currency,
                       coalesce(to_timestamp((v.fact ->> 'paid_at')::float8),
                                v.received_at) as since
                  from provider_events v
                 where v.next_try_at is not null and v.reason = 'error'
                   and v.kind = 'payment.succeeded'
                   and (v.fact ->> 'amount') ~ '^[0-9]{1,15}$'
                   and (v.fact ->> 'order_id') ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                   and coalesce(v.fact ->> 'paid_at', '0') ~ '^[0-9]{1,11}$'
                 order by v.fact ->> 'order_id', v.received_at) e
          left join orders o on o.id = e.about
         where o.state is null or o.state not in ('completed', 'refunded', 'review')
         order by 6;
end
$$;
