-- 0024_asked: a refund says for itself whether the provider may have been asked for it
-- (refund_ready). Of those that are on their way we know only that a worker took them.
update subpay.outbox
   set payload = payload || '{"asked": true}'
 where kind = 'refund' and state in ('pending', 'sending') and attempts > 0;
