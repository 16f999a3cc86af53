-- subpay.refund_choices: the payments of an order that somebody may send back, the newest
-- first, and what would follow. Moments are {iso, text}.
--
-- left_text    what is left of it
-- disputed, under_way  it cannot be chosen, and why
-- part_ends    purchase: a part that goes back ends the plan as well
-- until        renewal: when access ends once it is sent back whole; where that is over by
--              then: until_past, and perhaps the days of grace (grace)
-- renews       it is charged for its next period all the same
-- selected     what a second person was asked to confirm, else the newest that is no
--              duplicate
-- Internal.
create or replace function subpay.refund_choices(in_order subpay.orders) returns jsonb
language sql stable
as $$
    with left_over as (
        select p.payment_id, p.amount, p.currency, p.paid_at, p.card_brand,
               p.card_last4, c.part, q.starts_at, q.ends_at,
               (p.amount - p.amount_refunded - coalesce(a.asked, 0))::bigint as rest,
               subpay.refund_allowed(p.provider, p.payment_id) as allowed,
               case when c.part = 'renewal' then
                   subpay.paid_until(in_order, s.starts_at, p.payment_id) end as until,
               r.renewal_grace, r.refund_ends, s.renews,
               exists (select from subpay.refund_asks k
                        where k.provider = p.provider and k.payment_id = p.payment_id
                          and k.confirmed_at is null
                          and k.asked_at > now() - interval '7 days') as is_asked
          from subpay.payments p
         cross join subpay.settings r
         cross join lateral (select subpay.payment_part(in_order, p) as part) c
          left join subpay.subscriptions s on s.order_id = p.order_id
          left join subpay.periods q on q.provider = p.provider
                                    and q.payment_id = p.payment_id
          left join lateral (
            select sum((m.payload ->> 'amount')::bigint) as asked
              from subpay.outbox m
             where m.order_id = p.order_id and m.kind = 'refund'
               and m.state in ('pending', 'sending')
               and m.payload ->> 'payment_id' = p.payment_id) a on true
         where p.order_id = in_order.id and p.amount_refunded < p.amount
           and p.state <> 'released'
    ), usual as (
        select l.payment_id from left_over l
         order by l.is_asked desc, l.part = 'second', l.paid_at desc,
                  l.starts_at desc nulls last
         limit 1
    )
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'payment_id', l.payment_id,
               'amount_text', subpay.money_text(l.amount, l.currency),
               'left_text', case when l.rest > 0 and l.rest < l.amount then
                                subpay.money_text(l.rest, l.currency) end,
               'paid_at', subpay.moment(l.paid_at),
               'card_brand', l.card_brand, 'card_last4', l.card_last4,
               l.part, true,
               'period_from', subpay.moment(l.starts_at),
               'period_to', subpay.moment(l.ends_at),
               'until', subpay.moment(l.until),
               'until_past', nullif(l.until <= now(), false),
               'grace', case when l.renews and l.until <= now()
                                  and l.until + l.renewal_grace > now()
                             then subpay.moment(l.until + l.renewal_grace) end,
               'renews', nullif(l.renews and l.part = 'renewal', false),
               'part_ends', nullif(l.part = 'purchase' and l.refund_ends = 'any', false),
               'disputed', nullif(not l.allowed, false),
               'under_way', nullif(l.allowed and l.rest <= 0, false),
               'open', nullif(l.allowed and l.rest > 0, false),
               'selected', nullif(l.allowed and l.rest > 0
                                  and l.payment_id = u.payment_id, false)))
               order by l.paid_at desc, l.starts_at desc nulls last, l.payment_id)
      from left_over l cross join usual u
$$;
