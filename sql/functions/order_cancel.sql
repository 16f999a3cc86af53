-- subpay.order_cancel: the customer pressed "back" on the payment page.
--
-- Only noted: the page can still be paid, perhaps in another tab. The order becomes
-- cancelled when the provider says that nothing has been paid (order_note), and even
-- then money wins.
--
-- verdict  noted, already (noted before, or no longer open), gone (no such order)
create or replace function subpay.order_cancel(
    in_order uuid, in_actor text, out verdict text)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    update orders
       set left_at = now(), updated_at = now()
     where id = in_order and state = 'pending' and left_at is null;
    if found then
        perform audit_add(coalesce(in_actor, 'customer'), 'order.left', in_order,
                          null, null);
        verdict := 'noted';
    elsif exists (select from orders where id = in_order) then
        verdict := 'already';
    else
        verdict := 'gone';
    end if;
end
$$;
