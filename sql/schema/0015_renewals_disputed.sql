-- 0015_renewals_disputed: a period whose money the bank took back takes its time along,
-- as one that was refunded does; one that was won after all brings it again.
create function subpay.disputes_renewal() returns trigger
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
    -- Whoever had the bank take it back is not charged again.
    if new.status = 'lost' then
        update subpay.renewals
           set wanted = 'stop', wanted_by = 'system', asks = 0, next_ask_at = now()
         where order_id = of_order and state = 'active' and wanted is distinct from 'stop';
    end if;
    return null;
end
$$;

create trigger renewal after insert or update of status on subpay.disputes
    for each row execute function subpay.disputes_renewal();
