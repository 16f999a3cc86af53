-- subpay.paid_until: when the time that was paid for ends; null for no end.
--
-- What was bought at the checkout; of a plan that renews, the furthest of its paid
-- periods as the provider counts them, moved by as much as access began after the first
-- of them: whoever got it late keeps that head start through every renewal. From the
-- rows as they are and not by adding up, so that any order of the facts ends alike, a
-- month is what the provider's calendar says, and money that went back takes its time
-- along.
--
-- in_without  as if this payment had gone back
-- Internal.
create or replace function subpay.paid_until(
    in_order subpay.orders, in_starts timestamptz, in_without text default null)
returns timestamptz
language sql stable
as $$
    select greatest(
               subpay.period_after(in_starts,
                   in_order.period + in_order.bonus_days * interval '1 day'),
               subpay.period_after(max(p.ends_at), in_starts - min(p.starts_at)
                                   + in_order.bonus_days * interval '1 day'))
      from subpay.periods p
      join subpay.renewals r on r.renewal_id = p.renewal_id and r.provider = p.provider
                            and not r.extra
      join subpay.payments m on m.payment_id = p.payment_id and m.provider = p.provider
     where p.order_id = in_order.id and p.state = 'paid'
       and m.payment_id is distinct from in_without
       and not subpay.money_gone(m)
$$;
