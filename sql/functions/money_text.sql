-- subpay.money_text: an amount as people read it, "249.00 USD". The same as C's
-- sp_money_text: as many digits behind the point as people write, or all there are where
-- those are not enough ("50.25 UGX", which nobody can pay, must not read "50 UGX").
-- Internal.
create or replace function subpay.money_text(in_amount bigint, in_currency text)
returns text
language sql immutable strict
as $$
    select in_amount / scale
           || case when r.digits = 0 or r.shown = 0 and in_amount % scale = 0 then ''
                   else '.' || lpad((in_amount % scale)::text, r.digits, '0') end
           || ' ' || in_currency
      from subpay.money_rule(in_currency) r
     cross join lateral (select (10 ^ r.digits)::bigint as scale) s
$$;
