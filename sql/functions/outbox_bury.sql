-- subpay.outbox_bury: a dead letter stays, and somebody hears of it: a mail or a refund
-- becomes a ticket, anything else an alert. A dead alert only stays: an alert about it
-- would die in the same way; the count of dead rows in status() shows it. Internal.
create or replace function subpay.outbox_bury(in_id bigint, in_error text) returns void
language plpgsql
as $$
declare
    letter subpay.outbox;
begin
    update outbox
       set state = 'dead', lease = null, leased_by = null, leased_until = null,
           last_error = in_error
     where id = in_id
    returning * into letter;
    if letter.kind = 'mail' then
        perform ticket_open('dead_mail', 'dead_mail:' || in_id,
            'A mail could not be delivered',
            (select o.id from orders o where o.id = letter.order_id), letter.recipient,
            format('Mail "%s" (%s): %s. The customer does not know yet.', letter.template,
                   in_id, in_error));
    elsif letter.kind = 'dispute' then
        perform dispute_unanswered(letter, in_error);
    elsif letter.kind = 'refund' then
        if letter.payload ? 'why' then
            perform refund_withdraw(o, letter, in_error)
               from orders o where o.id = letter.order_id;
        end if;
        perform ticket_open('refund_failed', 'refund_dead:' || in_id,
            'A refund could not be made', letter.order_id,
            (select o.email from orders o where o.id = letter.order_id),
            format('A refund of %s, decided by %s, was not made: %s.',
                   money_text((letter.payload ->> 'amount')::bigint,
                              letter.payload ->> 'currency'),
                   letter.payload ->> 'by', in_error));
    elsif letter.kind = 'capture' then
        perform ticket_open('capture_failed',
            'capture_failed:' || (letter.payload ->> 'payment_id'),
            'Money that was reserved could not be taken', letter.order_id,
            (select o.email from orders o where o.id = letter.order_id),
            format('%s could not be taken: %s.',
                   money_text((letter.payload ->> 'amount')::bigint,
                              letter.payload ->> 'currency'), in_error));
    elsif letter.kind <> 'alert' then
        perform alert_raise('dead:' || letter.kind, 'today', 'Something could not be sent',
                            jsonb_build_object('kind', letter.kind, 'outbox', in_id));
    end if;
end
$$;
