-- subpay.ticket_found: what the search of a ticket has come to.
--
-- The order is linked. Healed: then the fix is the answer. Otherwise, or when a minute
-- has passed without an answer, the customer hears that we have their message, once an
-- hour at most, and support hears of the ticket. Internal.
create or replace function subpay.ticket_found(
    in_ticket bigint, in_orders uuid[], in_verdict text)
returns void
language plpgsql
as $$
declare
    t subpay.tickets;
    o subpay.orders;
begin
    select * into t from tickets k where k.id = in_ticket for update;
    select * into o from orders r
     where r.id = any (in_orders)
     order by r.completed_at >= t.created_at desc nulls last,
              case r.state when 'completed' then 1 when 'review' then 2
                           when 'pending' then 3 else 4 end,
              r.created_at desc
     limit 1;
    if o.id is not null and t.order_id is distinct from o.id then
        update tickets k set order_id = o.id, updated_at = now() where k.id = t.id
        returning * into t;
    end if;
    if t.state <> 'open' or t.acknowledged_at is not null or ticket_heal(t) then
        return;
    end if;
    if in_verdict <> 'waiting' or t.created_at < now() - interval '1 minute' then
        update tickets k set acknowledged_at = now() where k.id = t.id;
        perform ticket_alert('customer', 'A customer wrote to us', t.id);
        -- What is in the order is for the eyes of whom it belongs to.
        perform mail_seldom('acknowledge', null, t.email,
            case when email_fold(o.email) = email_fold(t.email) then o.id end, t.id,
            jsonb_build_object('answer_by', moment(t.due_at),
                'ticket', jsonb_build_object('reference', t.reference,
                                             'seen', in_verdict)) || ticket_thread(t.id));
    end if;
end
$$;
