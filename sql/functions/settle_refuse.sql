-- subpay.settle_refuse: store a fact that changes nothing here, with the reason.
--
-- mode             of the other environment
-- not_ours         of somebody else's order
-- order_unknown    ours, but only a payment may rebuild an order that is gone
-- unmatched        money that says it is ours, and cannot be adopted: a person looks
-- payment_unknown  a refund or dispute before its payment, or a period of which we do
--                  not know the payment: kept as "received" and tried again for three
--                  days; it may have overtaken the payment, or speak of something else
--                  that is sold in the same account
-- Internal.
create or replace function subpay.settle_refuse(
    in_fact subpay.fact, in_raw jsonb, in_order subpay.orders, in_reason text)
returns subpay.settled
language plpgsql
as $$
declare
    state text := 'ignored';
begin
    if in_reason = 'payment_unknown' and not exists (
           select from provider_events e
            where e.provider = in_fact.provider and e.event_id = in_fact.event_id
              and e.received_at < now() - interval '3 days') then
        state := 'received';
    end if;
    if not event_store(in_fact, in_raw, state, in_reason, in_order.id) then
        return settle_answer('already', in_reason, in_order);
    end if;
    if in_reason = 'unmatched' then
        perform ticket_open('unmatched', 'unmatched:' || in_fact.payment_id,
            'A payment names our shop but not what was bought', null, in_fact.email,
            format('Payment %s (%s %s) carries our mark, but too little to rebuild its'
                   ' order. Look at it in the provider''s dashboard.',
                   in_fact.payment_id, in_fact.amount, in_fact.currency));
    end if;
    return settle_answer('ignored', in_reason, in_order);
end
$$;
