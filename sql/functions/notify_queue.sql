-- subpay.notify_queue: one message to the application into the outbox. Its payload is
-- the body as it will be sent, each time the same. Internal.
--
-- in_type  granted, extended, ended, refunded
-- in_at    what makes this one differ from others of the same type and subscription
create or replace function subpay.notify_queue(
    in_type text, in_subscription subpay.subscriptions, in_at timestamptz)
returns void
language plpgsql
as $$
begin
    insert into subpay.outbox (kind, dedupe_key, order_id, payload)
    select 'notify',
           format('notify:%s:%s:%s', in_type, in_subscription.id, subpay.epoch_us(in_at)),
           in_subscription.order_id,
           jsonb_build_object(
               'type', 'entitlement.' || in_type,
               'timestamp', subpay.iso_time(now()),
               'data', jsonb_build_object(
                   'account', a.email,
                   'reference', o.reference,
                   'product', in_subscription.product,
                   'active', coalesce(e.active, false),
                   'starts_at', subpay.iso_time(coalesce(e.starts_at, in_subscription.starts_at)),
                   'expires_at', subpay.iso_time(case when e.product is null
                                                      then in_subscription.expires_at
                                                      else e.expires_at end),
                   'renews', coalesce(e.renews, false),
                   'status', coalesce(e.status, 'ended')))
      from subpay.accounts a
      join subpay.orders o on o.id = in_subscription.order_id
      left join lateral (
        select r.product, r.active, r.renews, r.status,
               to_timestamp(r.starts_at / 1000000) as starts_at,
               to_timestamp(nullif(r.expires_at, 0) / 1000000) as expires_at
          from subpay.entitlement_rows(a.id) r
         where r.product = in_subscription.product) e on true
     where a.id = in_subscription.account_id
        on conflict (dedupe_key) do nothing;
    perform subpay.outbox_wake();
end
$$;
