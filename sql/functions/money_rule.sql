-- subpay.money_rule: how a currency is counted and written: digits of the minor unit,
-- digits that people write, and the step in which cards can be charged. The same table as
-- C's, in src/model/currency.def. Internal.
create or replace function subpay.money_rule(
    in_currency text, out digits int, out shown int, out step int)
language sql immutable strict parallel safe
as $$
    select case when none then 0 when three then 3 else 2 end,
           case when none or whole then 0 when three then 3 else 2 end,
           case when whole then 100 when three then 10 else 1 end
      from (select in_currency = any ('{BIF,CLP,DJF,GNF,JPY,KMF,KRW,MGA,PYG,RWF,VND,VUV,XAF,XOF,XPF}') as none,
                   in_currency = any ('{BHD,JOD,KWD,OMR,TND}') as three,
                   in_currency = any ('{ISK,UGX}') as whole) c
$$;
