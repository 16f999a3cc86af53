-- subpay.mail_lang: {"lang": ...} for a mail, {} for the shop's default.
--
-- The language of what the mail is about: the message that it answers, else the order;
-- what is about neither (a new password) is in that of the person's latest order. Found
-- as the mail is taken up, so that every road that queues one has it for nothing.
-- Internal.
create or replace function subpay.mail_lang(in_mail subpay.outbox) returns jsonb
language sql stable
as $$
    select jsonb_strip_nulls(jsonb_build_object('lang', coalesce(
        (select t.lang from subpay.tickets t where t.id = in_mail.ticket_id),
        (select o.lang from subpay.orders o where o.id = in_mail.order_id),
        (select o.lang from subpay.orders o
          where in_mail.order_id is null
            and subpay.email_fold(o.email) = subpay.email_fold(in_mail.recipient)
            and o.lang is not null
          order by o.created_at desc
          limit 1))))
$$;
