-- 0027_payments_asked: when a provider that keeps no list of refunds was last asked about
-- a payment (payments_due).
alter table subpay.payments add column asked_at timestamptz;
