-- subpay.dispute_ticket: one ticket for each dispute, due by the bank's deadline, open for
-- as long as the bank waits for us. Internal.
create or replace function subpay.dispute_ticket(
    in_order subpay.orders, in_dispute subpay.disputes)
returns void
language plpgsql
as $$
declare
    asks constant boolean := in_dispute.status = 'warning';
    waits constant boolean := in_dispute.status in ('warning', 'open');
    title constant text := case
        when asks then 'A bank asks about a payment'
        else 'A customer disputes a payment' end;
    words constant text := case
        when asks then
            format('Inquiry %s (%s) about payment %s. No money has moved. A refund in full'
                   ' ends it; evidence may keep it from becoming a dispute.',
                   in_dispute.dispute_id, in_dispute.reason, in_dispute.payment_id)
        else
            format('Dispute %s (%s) of payment %s. Do not refund it: the money has been'
                   ' taken back already, and a refund would pay it twice.',
                   in_dispute.dispute_id, in_dispute.reason, in_dispute.payment_id) end;
    ticket bigint := ticket_open('dispute', 'dispute:' || in_dispute.dispute_id, title,
                                 in_order.id, in_order.email, words);
begin
    perform desk_solve(in_order.id, 'fraud_warning', 'system', 'The dispute has come.');
    -- An inquiry that became a dispute: another question, with another deadline.
    update tickets t
       set subject = title, due_at = coalesce(in_dispute.due_by, t.due_at), state = 'open',
           solved_at = null, updated_at = now()
     where t.id = ticket and in_dispute.status = 'open' and t.subject <> title;
    if found then
        insert into ticket_messages (ticket_id, direction, author, body)
        values (ticket, 'note', 'system', words);
    end if;
    update tickets t
       set due_at = least(t.due_at, in_dispute.due_by),
           state = case when t.state = 'solved' then 'open' else t.state end,
           solved_at = null, updated_at = now()
     where t.id = ticket and waits
       and (t.state = 'solved' or in_dispute.due_by < t.due_at);
    update tickets t set state = 'solved', solved_at = now(), updated_at = now()
     where t.id = ticket and not waits and t.state <> 'solved';
    if found then
        insert into ticket_messages (ticket_id, direction, author, body)
        values (ticket, 'note', 'system', case in_dispute.status
            when 'under_review' then 'The bank has the answer and decides.'
            when 'won' then 'Won: the money is back, and access is open.'
            when 'lost' then 'Lost: the money is gone, and access has ended.'
            else 'Closed without a decision; no money has moved.' end);
    end if;
end
$$;
