-- subpay.order_lock: find a fact's order and lock its row; null when there is none.
--
-- By our own id first: it travels in the provider's metadata, so it finds the order
-- even when the commit that stored the provider's ids was lost. Then by the payment
-- page, the renewal, then by the payment (refunds and disputes carry no metadata).
-- Internal.
create or replace function subpay.order_lock(in_fact subpay.fact) returns subpay.orders
language plpgsql
as $$
declare
    o subpay.orders;
begin
    if in_fact.order_id is not null then
        select * into o from orders where id = in_fact.order_id for update;
    end if;
    if o.id is null and in_fact.checkout_id is not null then
        select * into o
          from orders
         where provider = in_fact.provider and checkout_id = in_fact.checkout_id
           for update;
    end if;
    if o.id is null and in_fact.renewal_id is not null then
        select * into o
          from orders
         where id = (select r.order_id
                       from renewals r
                      where r.provider = in_fact.provider
                        and r.renewal_id = in_fact.renewal_id)
           for update;
    end if;
    if o.id is null and in_fact.payment_id is not null then
        select * into o
          from orders
         where id = (select p.order_id
                       from payments p
                      where p.provider = in_fact.provider
                        and p.payment_id = in_fact.payment_id)
           for update;
    end if;
    return o;
end
$$;
