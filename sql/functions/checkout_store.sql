-- subpay.checkout_store: the provider's payment page of an order. Idempotent.
--
-- verdict  stored   the page is the order's now, or is known with fresh details
--          already  the order has this page, or another one: never overwritten (money
--                   finds the order by our own id, whichever page it came through)
--          gone     no such order
--
-- Its commit does not wait for the disk: the money would find the order without it.
-- Lost with the machine, it is the case "the provider's ids were never stored", which
-- every road heals; and the customer is on the way a disk flush sooner.
create or replace function subpay.checkout_store(
    in_order uuid, in_checkout_id text, in_url text, in_expires timestamptz,
    out verdict text)
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
declare
    o subpay.orders;
begin
    select * into o from orders where id = in_order for update;
    verdict := case
        when o.id is null then 'gone'
        when o.checkout_id <> in_checkout_id
          or o.state in ('completed', 'refunded', 'review')
          or (o.checkout_id, o.checkout_url, o.checkout_expires_at)
             is not distinct from (in_checkout_id, in_url, in_expires) then 'already'
        else 'stored' end;
    if verdict = 'stored' then
        perform set_config('synchronous_commit', 'off', true);
        update orders
           set checkout_id = in_checkout_id, checkout_url = in_url,
               checkout_expires_at = coalesce(in_expires, checkout_expires_at),
               updated_at = now()
         where id = in_order;
    end if;
end
$$;
