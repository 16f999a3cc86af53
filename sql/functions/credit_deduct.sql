-- subpay.credit_deduct: the application takes credits that a customer has used.
--
-- in_key   the application's own name for this request: sent again, it meets its first
--          answer and changes nothing
-- verdict  'booked'; 'again': it was, and this is the first answer; 'insufficient';
--          'key_used': this key named another request; 'no_account'
create or replace function subpay.credit_deduct(
    in_account text, in_amount bigint, in_reason text, in_key text, in_actor text,
    out verdict text, out balance bigint, out entry bigint)
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    if coalesce(in_amount, 0) <= 0 or in_key is null then
        raise exception 'a deduction without amount or key';
    end if;
    select b.verdict, b.balance, b.entry into verdict, balance, entry
      from credit_book(in_account, -in_amount, in_reason, in_key, in_actor) b;
end
$$;
