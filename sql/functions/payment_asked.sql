-- subpay.payment_asked: the provider has answered how this payment stands, and that was
-- settled; the next question comes in a day or a week (payments_due).
--
-- Where more went back than its refunds account for, a refund was never told to us by
-- itself: the customer hears of it here, once. Not while one of ours is being made: that one
-- is told when it has its name. A chargeback becomes a person's.
create or replace function subpay.payment_asked(in_provider text, in_payment_id text)
returns void
language plpgsql volatile security definer
set search_path = subpay, pg_temp
as $$
declare
    p subpay.payments;
    untold bigint;
begin
    update payments
       set asked_at = now()
     where provider = in_provider and payment_id = in_payment_id
    returning * into p;
    select p.amount_refunded - coalesce(sum(r.amount), 0) into untold
      from refunds r
     where r.provider = in_provider and r.payment_id = in_payment_id
       and r.status in ('pending', 'succeeded');
    if untold > 0 and not exists (
           select from outbox m
            where m.order_id = p.order_id and m.kind = 'refund'
              and m.state in ('pending', 'sending')
              and m.payload ->> 'payment_id' = in_payment_id) then
        perform refund_mail(p.order_id, jsonb_populate_record(null::subpay.fact,
            jsonb_build_object('provider', in_provider, 'payment_id', in_payment_id,
                               'refund_id', refund_untold(p), 'amount', untold)));
    end if;
    if p.disputed and not exists (
           select from disputes d
            where d.provider = in_provider and d.payment_id = in_payment_id) then
        perform ticket_open('dispute', 'charged_back:' || in_payment_id,
            'A customer disputes a payment', p.order_id,
            (select coalesce(o.email, p.email) from orders o where o.id = p.order_id),
            format('Payment %s was charged back, and the provider''s message about it never'
                   ' came. Access is as it was: look there, and decide.', in_payment_id));
    end if;
end
$$;
