-- 0028_overtaken: the few mails that the world may overtake while they wait
-- (mails_withdraw), found without a look at all the others.
create index outbox_overtaken on subpay.outbox (next_try_at)
    where kind = 'mail' and template in ('renewal_declined', 'resumed')
      and state in ('pending', 'sending');
