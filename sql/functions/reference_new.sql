-- subpay.reference_new: a fresh order reference, SP-XXXX-XXXX with its check symbol.
--
-- 35 random bits: at a million orders one in 34,000 meets an old reference, so whoever
-- inserts one must be ready to ask again. Internal: no role executes it.
create or replace function subpay.reference_new() returns text
language plpgsql volatile
as $$
declare
    alphabet constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    -- a version 4 uuid is 122 random bits from the server's strong source; its octets
    -- 0..5 and 10 carry no fixed bits
    noise constant bytea := uuid_send(gen_random_uuid());
    symbols text := '';
    i int;
begin
    foreach i in array '{0,1,2,3,4,5,10}'::int[] loop
        symbols := symbols || substr(alphabet, get_byte(noise, i) % 32 + 1, 1);
    end loop;
    symbols := symbols || reference_check(symbols);
    return 'SP-' || left(symbols, 4) || '-' || right(symbols, 4);
end
$$;
