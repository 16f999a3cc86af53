-- subpay.renewal_let_go: whoever got the money back, or had the bank take it back, is not
-- charged again: a renewal that goes on is stopped, and one that the customer wanted to
-- take up again is left as it is. Internal.
create or replace function subpay.renewal_let_go(in_order uuid) returns void
language sql
as $$
    update subpay.renewals
       set wanted = case state when 'active' then 'stop' end,
           wanted_by = case state when 'active' then 'system' end,
           asks = 0, next_ask_at = now()
     where order_id = in_order and state <> 'ended'
       and (state = 'active' and wanted is distinct from 'stop' or wanted = 'resume')
$$;
