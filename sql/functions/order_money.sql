-- subpay.order_money: what money has moved for an order, for the words of pages and mails:
-- they name what was paid or sent back, which is not always the price.
--
-- paid        of the payment that completed it, or that a person looks at; null: none
-- returned    sent back so far, all payments together
-- receipt_url the provider's own receipt of that payment, where there is one
-- review_due  by when somebody has looked at it; null: nobody needs to, or it is past,
--             and a time that has gone by is no promise any more
create or replace function subpay.order_money(
    in_order uuid, out paid bigint, out returned bigint, out currency text,
    out receipt_url text, out review_due bigint)
language sql stable security definer
set search_path = subpay, pg_temp
as $$
    select (array_agg(p.amount order by p.payment_id = o.payment_id desc nulls last,
                      p.paid_at desc))[1],
           coalesce(sum(p.amount_refunded), 0)::bigint,
           coalesce((array_agg(p.currency order by p.payment_id = o.payment_id desc
                               nulls last, p.paid_at desc))[1], min(o.currency)),
           (array_agg(p.receipt_url order by p.payment_id = o.payment_id desc nulls last,
                      p.paid_at desc)
               filter (where p.receipt_url ~ '^https?://'))[1],
           (select epoch_us(min(t.due_at)) from tickets t
             where t.order_id = in_order and t.state <> 'solved'
               and t.kind in ('review', 'payment_without_email')
               and t.due_at > now())
      from orders o
      left join payments p on p.order_id = o.id
     where o.id = in_order
$$;
