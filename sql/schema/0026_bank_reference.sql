-- 0026_bank_reference: what banks trace a refund by (the acquirer reference number). It
-- comes days after the refund, and the customer's bank asks for it.
alter type subpay.fact add attribute bank_reference text;
alter table subpay.refunds add column bank_reference text;
