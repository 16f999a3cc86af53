-- subpay.evidence_log: an order's life as a bank reads it, one line for each thing, the
-- oldest first; at most what fits into a field (20,000 characters): then the first and
-- the last lines. Internal.
create or replace function subpay.evidence_log(
    in_order subpay.orders, in_payment subpay.payments, in_access subpay.subscriptions)
returns text
language plpgsql stable
as $$
declare
    bought constant timestamptz := coalesce(in_order.paid_at, in_order.created_at);
begin
    return (
    with happened (at, what) as (
        select in_order.created_at,
               'Order ' || in_order.reference || ' placed on our site'
        union all
        select in_payment.paid_at, concat_ws(', ',
                   'Paid ' || subpay.money_text(in_payment.amount, in_payment.currency),
                   'shown on the statement as ' || coalesce(in_payment.statement,
                                                           in_order.statement))
         where in_payment.paid_at is not null
        union all
        select in_access.starts_at, 'Access opened for ' || in_order.title
         where in_access.starts_at is not null
        union all
        select m.sent_at, 'E-mail to the customer sent: ' || case m.template
                   when 'confirmation' then 'confirmation of the order, with the access link'
                   when 'recovered' then 'confirmation of the order, with the access link'
                   when 'refund' then 'a refund'
                   when 'reply' then 'answer to a question'
                   when 'dispute' then 'answer to the dispute'
                   else replace(m.template, '_', ' ') end
          from subpay.outbox m
         where m.order_id = in_order.id and m.kind = 'mail' and m.state = 'sent'
           and m.last_error is null  -- else it was withdrawn
        union all
        select t.created_at, 'The customer wrote to us'
          from subpay.ticket_messages t
          join subpay.tickets k on k.id = t.ticket_id
         where k.order_id = in_order.id and t.direction = 'in'
        union all
        -- Known by the day: without a clock, behind what has one. On the day of payment
        -- only where there was no account before it.
        select (y.day + 1)::timestamp at time zone 'UTC' - interval '1 us',
               'Customer logged in ' || y.logins
                   || case y.logins when 1 then ' time' else ' times' end || ' this day'
          from subpay.account_days y
          join subpay.accounts a on a.id = y.account_id
         where y.account_id = in_access.account_id and y.logins > 0
           and (y.day > (bought at time zone 'UTC')::date
                or y.day = (bought at time zone 'UTC')::date and a.created_at >= bought)
        union all
        select y.used_at, 'Customer used what was bought'
          from subpay.account_days y
         where y.account_id = in_access.account_id and y.used_at >= in_access.starts_at
        union all
        select r.said_at, 'Refunded ' || subpay.money_text(r.amount, in_payment.currency)
          from subpay.refunds r
         where r.provider = in_payment.provider and r.payment_id = in_payment.payment_id
           and r.status = 'succeeded'),
    lines as (
        select to_char(h.at at time zone 'UTC',
                       case when h.what like 'Customer logged in %' then 'YYYY-MM-DD: '
                            else 'YYYY-MM-DD HH24:MI "UTC": ' end) || h.what as line,
               row_number() over (order by h.at, h.what) as n,
               count(*) over () as total
          from happened h
         where h.at is not null)
    select left(string_agg(l.line, E'\n' order by l.n), 20000)
      from lines l
     where l.n <= 120 or l.n > l.total - 80);
end
$$;
