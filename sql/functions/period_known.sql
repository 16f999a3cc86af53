-- subpay.period_known: is the paid period here that a fact speaks of?
--
-- A function of its own for the same reason as payment_known. Internal.
create or replace function subpay.period_known(in_fact subpay.fact) returns boolean
language plpgsql stable
as $$
begin
    return exists (select from periods p
                    where p.provider = in_fact.provider
                      and p.invoice_id = in_fact.invoice_id and p.state = 'paid');
end
$$;
