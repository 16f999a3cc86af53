-- subpay.renewal_asked: the provider was asked about this renewal; what it said is a
-- fact and went through settle. When the next time comes follows from the answer, and
-- from how often it was asked in vain.
create or replace function subpay.renewal_asked(in_provider text, in_renewal text)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    update renewals r
       set asks = r.asks + 1,
           next_ask_at = case when r.extra and r.wanted is null then null
                              else renewal_ask_after(r,
               (select s.expires_at from subscriptions s where s.order_id = r.order_id)) end
     where r.provider = in_provider and r.renewal_id = in_renewal;
end
$$;
