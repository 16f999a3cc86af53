-- subpay.period_fail: a period was to be paid for and was not. The order's row is locked.
--
-- The customer is told at the first failure, and once more when the provider will not
-- try again by itself; never of a period that is paid. Access goes on for the grace.
-- Internal.
create or replace function subpay.period_fail(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    known subpay.periods;
    until timestamptz;
    last constant boolean := in_fact.next_try is null;
begin
    if in_fact.renewal_id is null or in_fact.invoice_id is null then
        raise exception 'a period without renewal or invoice';
    end if;
    perform renewal_open(in_order, in_fact);
    select * into known
      from periods p
     where p.provider = in_fact.provider and p.invoice_id = in_fact.invoice_id;
    if known.state = 'paid' or known.tries >= in_fact.tries then
        return settle_answer('already', null, in_order);
    end if;
    insert into periods as p (provider, invoice_id, renewal_id, order_id, state, amount,
                              currency, starts_at, ends_at, tries, next_try_at, pay_url)
    values (in_fact.provider, in_fact.invoice_id, in_fact.renewal_id, in_order.id, 'failed',
            in_fact.amount, in_fact.currency, to_timestamp(in_fact.period_start),
            to_timestamp(in_fact.period_end), in_fact.tries,
            to_timestamp(in_fact.next_try), in_fact.pay_url)
        on conflict (invoice_id, provider) do update
       set tries = excluded.tries, next_try_at = excluded.next_try_at,
           pay_url = coalesce(excluded.pay_url, p.pay_url);
    perform renewal_reckon(in_order.id);
    perform renewal_heard(in_order.id);

    select greatest(s.expires_at, s.grace_until) into until
      from subscriptions s
     where s.order_id = in_order.id and s.status = 'active';
    -- Who has no access left to lose, or bought twice, is not frightened.
    if until > now() and not exists (select from renewals r
                                      where r.renewal_id = in_fact.renewal_id
                                        and r.provider = in_fact.provider and r.extra) then
        insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
        values ('mail', 'renewal_declined',
                case when last then 'renewal_last:' else 'renewal_declined:' end
                || in_fact.invoice_id, in_order.id, in_order.email,
                jsonb_strip_nulls(jsonb_build_object(
                    'stays_until', extract(epoch from until)::bigint,
                    'next_try_at', in_fact.next_try)))
            on conflict (dedupe_key) do nothing;
        perform outbox_wake();
    end if;
    perform audit_add(in_actor, 'renewal.declined', in_order.id, null, null, null,
        jsonb_build_object('invoice', in_fact.invoice_id, 'tries', in_fact.tries));
    return settle_answer('updated', 'declined', in_order);
end
$$;
