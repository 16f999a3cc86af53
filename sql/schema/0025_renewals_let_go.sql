-- 0025_renewals_let_go: who is not charged again, said once (renewal_let_go), for a
-- refund and for a dispute that was lost.
create or replace function subpay.orders_renewal() returns trigger
language plpgsql
as $$
begin
    perform subpay.renewal_let_go(new.id);
    return null;
end
$$;

create or replace function subpay.disputes_renewal() returns trigger
language plpgsql
as $$
declare
    of_order uuid;
begin
    select p.order_id into of_order
      from subpay.periods p
     where p.payment_id = new.payment_id and p.provider = new.provider;
    if of_order is null then
        return null;
    end if;
    perform subpay.renewal_reckon(of_order);
    if new.status = 'lost' then
        perform subpay.renewal_let_go(of_order);
    end if;
    return null;
end
$$;
