-- subpay.renewal_open: the row of a fact's renewal, made when this is the first we hear
-- of it. The order's row is locked.
--
-- A second one for the same order is one too many: the customer paid on two pages. It
-- shall not charge again; a person gives the money back (payment_again). Internal.
create or replace function subpay.renewal_open(
    in_order subpay.orders, in_fact subpay.fact)
returns subpay.renewals
language plpgsql
as $$
declare
    r subpay.renewals;
    second boolean;
begin
    select * into r
      from renewals n
     where n.provider = in_fact.provider and n.renewal_id = in_fact.renewal_id;
    if found and r.order_id <> in_order.id then
        raise exception 'renewal % belongs to another order', r.renewal_id;
    elsif found then
        return r;
    end if;
    second := exists (select from renewals n where n.order_id = in_order.id and not n.extra);
    insert into renewals (provider, renewal_id, order_id, extra, wanted, wanted_by,
                          next_ask_at)
    values (in_fact.provider, in_fact.renewal_id, in_order.id, second,
            case when second or in_order.state = 'refunded' then 'stop' end,
            case when second or in_order.state = 'refunded' then 'system' end,
            now() + case when second or in_order.state = 'refunded' then interval '0'
                         else interval '1 hour' end)
    returning * into r;
    return r;
end
$$;
