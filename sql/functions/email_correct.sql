-- subpay.email_correct: whoever paid typed the wrong address, and says the right one.
--
-- Once for each order, by the token of the browser that paid. What moves, and who is
-- told, is email_move's.
--
-- in_new_masked  what the old address may see of the new one
-- verdict  'corrected', 'same', 'used' (corrected before) or 'no_order'
create or replace function subpay.email_correct(
    in_token_hash bytea, in_email text, in_new_masked text,
    out verdict text, out order_id uuid)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    o orders;
    moved record;
begin
    select * into o from orders t
     where t.token_hash = in_token_hash and t.state = 'completed'
       for update;
    if not found then
        verdict := 'no_order';
        return;
    end if;
    order_id := o.id;
    if o.email_corrected_at is not null then
        verdict := 'used';
        return;
    end if;
    moved := email_move(o, in_email, in_new_masked, '');
    if moved.before is null then
        verdict := 'same';
        return;
    end if;
    perform audit_add('customer', 'order.email_corrected', o.id, moved.account,
                      'in the browser that paid', moved.before,
                      jsonb_build_object('email', in_email, 'account_id', moved.account));
    verdict := 'corrected';
end
$$;
