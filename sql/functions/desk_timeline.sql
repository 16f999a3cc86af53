-- subpay.desk_timeline: everything that happened around one order, oldest first: what
-- the customer did and saw, what the provider said, what we wrote, what people did.
-- Internal.
create or replace function subpay.desk_timeline(in_order subpay.orders) returns jsonb
language plpgsql stable
as $$
begin
    return (with happened (at, rank, what, who, detail) as (
        select in_order.created_at, 0, 'Order written, before the provider was called',
               'customer', concat_ws(', ', in_order.reference,
                                     'payment page ' || in_order.checkout_id)
        union all
        select in_order.left_at, 1, 'The customer left the payment page', 'customer', null
         where in_order.left_at is not null
        union all
        select p.paid_at, 2, 'Money moved', p.provider,
               concat_ws(', ', subpay.money_text(p.amount, p.currency), p.payment_id,
                         p.card_brand || ' ' || p.card_last4)
          from subpay.payments p where p.order_id = in_order.id
        union all
        select e.received_at, 3,
               case e.state when 'processed' then 'Event received and settled'
                            when 'ignored' then 'Event received, of no effect'
                            else 'Event received, not applied yet' end,
               e.provider, concat_ws(', ', e.type, e.event_id, e.reason, e.error)
          from subpay.provider_events e where e.order_id = in_order.id
        union all
        select a.at, 4,
               case a.action
                   when 'order.completed' then 'Settled: access granted'
                   when 'order.review' then 'Put before a person'
                   when 'order.refunded' then 'Refunded: access ended'
                   when 'order.restored' then 'The refund failed: it is as it was before'
                   when 'refund.duplicate' then 'Paid twice: this payment goes back by itself'
                   when 'refund.unasked' then 'No access came of it: it goes back by itself'
                   when 'order.adopted' then 'Order written again from what the provider holds'
                   when 'renewal.extended' then 'Renewed: one more period'
                   when 'renewal.declined' then 'Renewal declined: access goes on for the grace'
                   when 'renewal.stop_asked' then 'Asked to stop the renewal'
                   when 'renewal.stopping' then 'Renewal stopped: no further charge'
                   when 'anomaly.mended' then 'Mended'
                   when 'order.email_corrected' then 'E-mail address corrected'
                   else case when a.action like 'support.%'
                             then 'Support: ' || replace(substr(a.action, 9), '_', ' ')
                             else replace(replace(a.action, '.', ': '), '_', ' ') end
               end,
               a.actor, a.reason
          from subpay.audit a where a.order_id = in_order.id
        union all
        select k.since, 4, 'Came back, and the provider gave no clear answer', 'customer',
               'asked ' || k.asked || ' times'
          from subpay.checkings k where k.order_id = in_order.id
        union all
        select m.created_at, 5, 'Mail "' || m.template || '" queued', 'system', m.recipient
          from subpay.outbox m where m.order_id = in_order.id and m.kind = 'mail'
        union all
        select coalesce(m.sent_at, m.created_at), 6,
               'Mail "' || m.template || '" '
                   || case when m.state = 'sent' and m.last_error is not null
                               then 'withdrawn'
                           when m.state = 'sent' then 'taken by the mail server'
                           when m.state = 'dead' then 'could not be delivered'
                           else 'has not left: ' || m.attempts || ' tries' end,
               case when m.state = 'sent' and m.last_error is not null then 'system'
                    else 'mail server' end, m.last_error
          from subpay.outbox m
         where m.order_id = in_order.id and m.kind = 'mail'
           and (m.state in ('sent', 'dead') or m.attempts > 0)
        union all
        select r.said_at, 7, 'Refund ' || r.status, r.provider,
               concat_ws(', ', subpay.money_text(r.amount, p.currency), r.refund_id)
          from subpay.payments p
          join subpay.refunds r on r.provider = p.provider and r.payment_id = p.payment_id
         where p.order_id = in_order.id
        union all
        select d.said_at, 8, 'Dispute: ' || replace(d.status, '_', ' '), d.provider,
               concat_ws(', ', subpay.money_text(d.amount, p.currency), d.reason, d.dispute_id)
          from subpay.payments p
          join subpay.disputes d on d.provider = p.provider and d.payment_id = p.payment_id
         where p.order_id = in_order.id
        union all
        select w.said_at, 8, 'The card network takes it for fraud', w.provider,
               concat_ws(', ', replace(w.reason, '_', ' '), w.warning_id)
          from subpay.payments p
          join subpay.fraud_warnings w on w.provider = p.provider
                                      and w.payment_id = p.payment_id
         where p.order_id = in_order.id
        union all
        select coalesce(m.sent_at, m.created_at), 8,
               case m.payload ->> 'what' when 'accept' then 'Agreement with the bank '
                                         else 'Evidence for the bank ' end
                   || case m.state when 'sent' then 'sent'
                                   when 'dead' then 'was not taken'
                                   else 'on its way' end,
               m.payload ->> 'by', m.last_error
          from subpay.outbox m where m.order_id = in_order.id and m.kind = 'dispute'
        union all
        select t.created_at, 9, 'Ticket ' || t.reference || ': ' || t.subject,
               case t.kind when 'customer' then 'customer' else 'system' end, null
          from subpay.tickets t where t.order_id = in_order.id)
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'at', subpay.moment(h.at), 'what', h.what, 'who', h.who,
               'detail', nullif(h.detail, ''),
               'saw', case h.what
                   when 'Order written, before the provider was called' then
                       'the payment page of ' || in_order.provider
                   when 'The customer left the payment page' then '“You left before paying.”'
                   when 'Came back, and the provider gave no clear answer' then
                       '“Confirming your payment.”, then “This is taking longer than it should.”'
                   when 'Settled: access granted' then
                       '“You have access.”' || case when in_order.completed_via <> 'return'
                                                    then ', if their page was still open'
                                                    else '' end
                   when 'Put before a person' then
                       '“Your payment is here; a person looks at one detail.”' end))
               order by date_trunc('second', h.at), h.rank, h.at), '[]')
      from happened h);
end
$$;
