-- subpay.checking_done: ten minutes are over; tell the customer how the payment stands.
--
-- The provider was asked once more before. Completed: the welcome has told it. It says
-- that nothing has been paid: then so do we. No answer (in_clear false): "still
-- checking" (E6), once, and a person takes over.
create or replace function subpay.checking_done(in_order uuid, in_clear boolean)
returns text
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    c checkings;
    o orders;
    ticket bigint;
begin
    delete from checkings k where k.order_id = in_order returning * into c;
    select * into o from orders r where r.id = in_order;
    if c.order_id is null or o.email is null or o.processing
       or o.state in ('completed', 'review', 'refunded') then
        return 'told';
    end if;
    if in_clear then
        perform mail_seldom('not_found', null, o.email, o.id, null, '{"came_back": true}');
        return 'none';
    end if;
    ticket := ticket_open('checking', 'checking:' || o.id,
        'A customer came back, and the provider does not say whether they paid', o.id,
        o.email,
        format('Order %s: asked %s times since %s without a clear answer. The customer'
               ' has been told that a person takes over.', o.reference, c.asked, c.since));
    perform ticket_checking(ticket, o.id, o.email, c.asked, c.since);
    return 'checking';
end
$$;
