-- subpay.mail_overtaken: why a mail that waits is true no longer; null where it still is.
-- Only of what the world may overtake while a mail server is away. Internal.
create or replace function subpay.mail_overtaken(in_mail subpay.outbox) returns text
language sql stable
as $$
    select case in_mail.template
        when 'renewal_declined' then case
            when exists (select from subpay.periods p
                          where p.order_id = in_mail.order_id and p.state = 'paid'
                            and p.invoice_id = substr(in_mail.dedupe_key,
                                                      strpos(in_mail.dedupe_key, ':') + 1))
                then 'not sent: it was paid'
            when not exists (select from subpay.subscriptions s
                              where s.order_id = in_mail.order_id and s.status = 'active')
                then 'not sent: the plan has ended' end
        when 'resumed' then case
            when exists (select from subpay.switches s
                          where s.name = 'checkout_paused' and s."on")
                then 'not sent: payments are paused again' end end
$$;
