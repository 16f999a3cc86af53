-- 0024_asked_and_old: what was asked, and what is old.
--
-- A refund says for itself whether the provider may have been asked for it
-- (refund_ready). Of those that are on their way we know only that a worker took them.
update subpay.outbox
   set payload = payload || '{"asked": true}'
 where kind = 'refund' and state in ('pending', 'sending') and attempts > 0;

-- Cleaning by age looks only at what is still to be cleaned, however much is old already.
-- The conditions are those of retention_clean.
create index outbox_words on subpay.outbox (created_at)
    where kind in ('mail', 'notify') and state in ('sent', 'dead')
      and (payload <> '{}' or kind = 'mail' and recipient not like '%@erased.invalid');
create index outbox_evidence on subpay.outbox (created_at)
    where kind = 'dispute' and state in ('sent', 'dead') and payload ? 'evidence';
create index audit_forgettable on subpay.audit (at)
    where action not like 'order.%' and action <> 'support.grant';
