-- subpay.payment_known: is the payment here that a fact speaks of?
--
-- A function of its own: written into the condition that asks, the query would be
-- planned anew for each fact, those that never get as far as it included. Internal.
create or replace function subpay.payment_known(in_fact subpay.fact) returns boolean
language plpgsql stable
as $$
begin
    return exists (select from payments p
                    where p.provider = in_fact.provider
                      and p.payment_id = in_fact.payment_id);
end
$$;
