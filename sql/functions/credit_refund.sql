-- subpay.credit_refund: the application gives credits back. An entry of its own; what it
-- makes good stays as it was written. Arguments and answers as those of credit_deduct,
-- and 'too_much' for a balance that nobody could count.
create or replace function subpay.credit_refund(
    in_account text, in_amount bigint, in_reason text, in_key text, in_actor text,
    out verdict text, out balance bigint, out entry bigint)
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
begin
    if coalesce(in_amount, 0) <= 0 or in_key is null then
        raise exception 'a refund without amount or key';
    end if;
    select b.verdict, b.balance, b.entry into verdict, balance, entry
      from credit_book(in_account, in_amount, in_reason, in_key, in_actor) b;
end
$$;
