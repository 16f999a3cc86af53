-- 0006_order_row: an order as every reading function answers it. Moments are epoch
-- microseconds, 0 for none: what C counts in.
create view subpay.order_row as
select o.id, o.reference, o.provider, o.mode, o.email, o.name, o.product, o.title,
       o.amount, o.currency, o.period_text, o.credits, o.renews, o.state,
       o.checkout_id, o.checkout_url,
       subpay.epoch_us(o.checkout_expires_at) as checkout_expires_at,
       o.payment_id, o.statement, o.review_reason, o.completed_via, o.processing,
       o.failure,
       subpay.epoch_us(o.created_at) as created_at,
       subpay.epoch_us(o.paid_at) as paid_at,
       subpay.epoch_us(o.completed_at) as completed_at,
       subpay.epoch_us(s.starts_at) as starts_at,
       subpay.epoch_us(s.expires_at) as expires_at,
       o.bonus_days
  from subpay.orders o
  left join subpay.subscriptions s on s.order_id = o.id;
