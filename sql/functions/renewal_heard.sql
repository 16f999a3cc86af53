-- subpay.renewal_heard: the provider said something about this renewal: count anew when
-- to ask next. Internal.
create or replace function subpay.renewal_heard(in_order uuid) returns void
language sql
as $$
    update subpay.renewals r
       set asks = 0,
           next_ask_at = subpay.renewal_ask_after(r,
               (select s.expires_at from subpay.subscriptions s where s.order_id = in_order))
     where r.order_id = in_order and not r.extra and r.wanted is null
$$;
