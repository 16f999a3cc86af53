-- subpay.renewal_want: a customer wants no further charges ("stop"), or after all does
-- ("resume"). Written down before the provider is asked, so that it is done whatever
-- happens to this call: the worker goes on where it was cut off.
--
-- verdict  wanted   now ask the provider
--          already  it is so
--          ended    there is nothing left to take up again
--          none     no such renewal in this account
create or replace function subpay.renewal_want(
    in_account uuid, in_reference text, in_want text, in_actor text,
    out verdict text, out provider text, out renewal_id text, out order_id uuid)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
declare
    r subpay.renewals;
    over boolean;  -- the money went back: not to be charged again
begin
    select n.* into r
      from renewals n
      join orders o on o.id = n.order_id
      join subscriptions s on s.order_id = o.id
     where o.reference = in_reference and s.account_id = in_account and not n.extra
       for update of n;
    if not found then
        verdict := 'none';
        return;
    end if;
    provider := r.provider;
    renewal_id := r.renewal_id;
    order_id := r.order_id;
    select o.state <> 'completed' or s.status <> 'active' into over
      from orders o
      join subscriptions s on s.order_id = o.id
     where o.id = r.order_id;
    if r.state = 'ended' or over and in_want = 'resume' then
        verdict := case in_want when 'stop' then 'already' else 'ended' end;
    elsif r.wanted is null and (r.state = 'active') = (in_want = 'resume') then
        verdict := 'already';
    else
        update renewals n
           set wanted = in_want, wanted_by = in_actor, asks = 0,
               next_ask_at = now() + interval '20 s'  -- whoever asks now is on the way
         where n.provider = r.provider and n.renewal_id = r.renewal_id;
        perform audit_add(in_actor, 'renewal.' || in_want || '_asked', r.order_id,
                          in_account, null);
        verdict := 'wanted';
    end if;
end
$$;
