-- subpay.renewal_asked: the provider was asked about this renewal; what it said is a
-- fact and went through settle. When the next time comes follows from the answer, and
-- from how often it was asked in vain. A stop that does not get through becomes a
-- person's: the customer must not be charged again.
create or replace function subpay.renewal_asked(in_provider text, in_renewal text)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    r subpay.renewals;
    o subpay.orders;
    vain constant int := 9;  -- about an hour and a half
begin
    update renewals n
       set asks = n.asks + 1,
           next_ask_at = case when n.extra and n.wanted is null then null
                              else renewal_ask_after(n,
               (select s.expires_at from subscriptions s where s.order_id = n.order_id)) end
     where n.provider = in_provider and n.renewal_id = in_renewal
    returning * into r;
    if r.wanted = 'stop' and r.asks = vain then
        select * into o from orders x where x.id = r.order_id;
        perform ticket_open('renewal_not_stopped', 'renewal_not_stopped:' || r.renewal_id,
            'A renewal could not be stopped', o.id, o.email,
            format('Renewal %s of order %s shall not charge again, and the provider has not'
                   ' confirmed it after %s tries. Stop it in the provider''s dashboard.',
                   r.renewal_id, o.reference, r.asks));
    end if;
end
$$;
