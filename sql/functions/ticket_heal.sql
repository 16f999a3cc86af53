-- subpay.ticket_heal: close a ticket whose order was completed since it was opened, and
-- say so; whether that was the case.
--
-- The welcome mail of the order has answered it. Only who wrote from another address
-- than the order's hears separately, and nothing personal: anybody may have typed the
-- reference. A ticket that somebody has taken, or answered, stays theirs. Internal.
create or replace function subpay.ticket_heal(in_ticket subpay.tickets) returns boolean
language plpgsql
as $$
declare
    o subpay.orders;
begin
    select * into o from orders r
     where r.id = in_ticket.order_id and r.state = 'completed'
       and r.completed_at >= in_ticket.created_at;
    if not found or in_ticket.state <> 'open' or in_ticket.owner <> 'support' then
        return false;
    end if;
    update tickets t
       set state = 'solved', solved_at = now(), updated_at = now()
     where t.id = in_ticket.id and t.state = 'open';
    if not found then
        return true;
    end if;
    insert into ticket_messages (ticket_id, direction, author, body)
    values (in_ticket.id, 'note', 'system',
            format('Healed: order %s was completed by %s, %s after the payment. The'
                   ' customer has access, and was written to.', o.reference,
                   o.completed_via, date_trunc('second', coalesce(o.access_delay, '0'))));
    perform audit_add('system', 'ticket.solved', o.id, null, 'its order was completed',
                      null, null, in_ticket.id);
    if in_ticket.kind = 'customer'
       and email_fold(in_ticket.email) <> email_fold(o.email) then
        perform mail_seldom('healed', in_ticket.id::text, in_ticket.email, null,
            in_ticket.id, jsonb_build_object('ticket',
                jsonb_build_object('reference', in_ticket.reference)));
    end if;
    return true;
end
$$;
