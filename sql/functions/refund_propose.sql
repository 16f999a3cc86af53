-- subpay.refund_propose: a person shall give this money back, or access for it. Takes the
-- place of the ticket that asked about the order before. Internal.
create or replace function subpay.refund_propose(
    in_order subpay.orders, in_payment subpay.payments, in_rules subpay.settings)
returns void
language plpgsql
as $$
declare
    ticket bigint := ticket_open('refund_proposed',
        'refund_proposed:' || in_payment.payment_id,
        'Money without access: give it back?', in_order.id,
        coalesce(in_order.email, in_payment.email),
        format('Payment %s of %s came at %s and could not be turned into access since%s.'
               ' Give access, or send it back before the customer calls the bank.',
               in_payment.payment_id, money_text(in_payment.amount, in_payment.currency),
               moment(in_payment.paid_at) ->> 'text',
               coalesce(': ' || in_order.review_reason || ' does not match', '')));
    note text;
begin
    select format('Goes on in ticket %s.', t.reference) into note
      from tickets t where t.id = ticket;
    perform desk_solve(in_order.id, 'review', 'system', note);
    perform desk_solve(in_order.id, 'payment_without_email', 'system', note);
    if in_rules.auto_refund = 'do' then
        perform alert_raise('auto_refund_limit', 'today',
            'More refunds are due than SubPayAutoRefundAfter may make in a day',
            jsonb_build_object('limit', in_rules.auto_refund_limit));
    end if;
end
$$;
