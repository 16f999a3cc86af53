-- 0023_renewal_credits: the credits of a period follow its money, as those of the purchase
-- do.

-- What was taken back of this period's credits when its money went back: 0 where all of
-- them had been spent; null: they are the customer's. Without it nobody could tell "all
-- spent" from "not taken yet", and credits bought later would be taken for them.
alter table subpay.periods
    add column credits_taken bigint check (credits_taken >= 0);

-- What went back before this was written stays as it was told to the customer.
update subpay.periods p
   set credits_taken = 0
  from subpay.payments m
 where m.provider = p.provider and m.payment_id = p.payment_id
   and (m.amount > 0 and m.amount_refunded = m.amount
        or exists (select from subpay.disputes d
                    where d.provider = m.provider and d.payment_id = m.payment_id
                      and d.status = 'lost'));
