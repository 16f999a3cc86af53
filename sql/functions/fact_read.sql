-- subpay.fact_read: the fact as C sent it, typed; raises when it cannot be read.
--
-- An amount is an integer token or it is wrong: a cast of jsonb to bigint would round
-- 24900.5, so the digits are read as text, which refuses it, and a string in place of
-- a number is refused as well. Internal.
create or replace function subpay.fact_read(in_fact jsonb) returns subpay.fact
language plpgsql stable
as $$
declare
    fact subpay.fact;
begin
    if jsonb_typeof(in_fact->'amount') not in ('number', 'null')
       or jsonb_typeof(in_fact->'amount_refunded') not in ('number', 'null')
       or jsonb_typeof(in_fact->'price') not in ('number', 'null')
       or jsonb_typeof(in_fact->'credits') not in ('number', 'null') then
        raise exception 'an amount is not a number' using errcode = 'data_exception';
    end if;
    fact := jsonb_populate_record(null::subpay.fact, in_fact);
    if fact.kind is null or fact.provider is null or fact.mode is null then
        raise exception 'fact without kind, provider or mode'
            using errcode = 'data_exception';
    end if;
    return fact;
end
$$;
