-- subpay.money_text: an amount as people read it, "249.00 USD". The same as C's
-- sp_money_text: digits behind the point by ISO 4217. Internal.
create or replace function subpay.money_text(in_amount bigint, in_currency text)
returns text
language sql immutable strict
as $$
    select case
        when in_currency = any ('{BIF,CLP,DJF,GNF,JPY,KMF,KRW,MGA,PYG,RWF,VND,VUV,XAF,XOF,XPF}')
            then in_amount::text
        when in_currency = any ('{BHD,JOD,KWD,OMR,TND}')
            then to_char(in_amount / 1000.0, 'FM999999999999990.000')
        else to_char(in_amount / 100.0, 'FM999999999999990.00') end || ' ' || in_currency
$$;
