-- subpay.renewal_prefer: this renewal of an open order was paid, so it is the one that
-- counts; another one that was only heard of shall not charge. Internal.
create or replace function subpay.renewal_prefer(in_renewal subpay.renewals)
returns subpay.renewals
language plpgsql
as $$
declare
    r subpay.renewals;
begin
    update renewals n
       set extra = true, wanted = 'stop', wanted_by = 'system', asks = 0,
           next_ask_at = now()
     where n.order_id = in_renewal.order_id and not n.extra;
    update renewals n
       set extra = false, wanted = null, wanted_by = null
     where n.provider = in_renewal.provider and n.renewal_id = in_renewal.renewal_id
    returning n.* into r;
    return r;
end
$$;
