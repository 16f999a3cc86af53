-- 0001_words: the functions that constraints, indexes and views stand on.
-- What is stored depends on the answers of the immutable ones: those never change.
--
-- Those inside a CHECK or an index are plpgsql, though SQL would say the same: an SQL
-- body is inlined there, which means parsed again by each statement that writes the
-- table. It shows in a profile of settle.

-- The one folding of e-mail addresses: A-Z, nothing else. lower() and citext also fold
-- the Kelvin sign and the dotted capital I into ASCII letters under common locales, and
-- two people would become one account.
create function subpay.email_fold(in_email text) returns text
language plpgsql immutable strict parallel safe
as $$
begin
    return pg_catalog.translate(in_email,
        'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
end
$$;

-- Could this address receive mail? The edge asks more; this much holds for every
-- stored address, wherever it came from: one @, no space or control character, at
-- most 254 octets.
create function subpay.email_plausible(in_email text) returns boolean
language plpgsql immutable strict parallel safe
as $$
begin
    return pg_catalog.octet_length(in_email) <= 254
       and in_email ~ '^[^@[:cntrl:][:space:]]+@[^@[:cntrl:][:space:]]+$';
end
$$;

-- A moment as C counts it: microseconds since 1970, 0 for none. Stable, because extract()
-- of a timestamptz is: called immutable, it could not be inlined, and reading an order
-- would take four times as long.
create function subpay.epoch_us(in_at timestamptz) returns bigint
language sql stable parallel safe
as $$
    select coalesce((extract(epoch from in_at) * 1000000)::bigint, 0)
$$;

-- The moment one period after another, by the UTC calendar: a year bought in summer
-- must not end an hour off because some session's zone has winter time by then.
create function subpay.period_after(in_start timestamptz, in_period interval)
returns timestamptz
language sql immutable parallel safe
as $$
    select (in_start at time zone 'UTC' + in_period) at time zone 'UTC'
$$;

-- The check symbol of a reference's seven random symbols; null when those are not
-- seven symbols of Crockford's alphabet.
--
-- check = sum of alpha^(i+1) * symbol_i, i = 0..6, over GF(32) made by x^5+x^2+1 with
-- alpha = 2. The weights differ from each other and from the check symbol's own (1),
-- so every single wrong symbol and every swap of two symbols is found.
create function subpay.reference_check(in_symbols text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
    alphabet constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    -- power[k+1] = alpha^k; log[d+1] = k with alpha^k = d (none for 0)
    power constant int[] := '{1,2,4,8,16,5,10,20,13,26,17,7,14,28,29,31,
                              27,19,3,6,12,24,21,15,30,25,23,11,22,9,18}';
    log constant int[] := '{0,0,1,18,2,5,19,11,3,29,6,27,20,8,12,23,
                            4,10,30,17,7,22,28,26,21,25,9,16,13,14,24,15}';
    digit int;
    total int := 0;
begin
    if in_symbols !~ '^[0-9A-HJKMNP-TV-Z]{7}$' then
        return null;
    end if;
    for i in 0..6 loop
        digit := pg_catalog.strpos(alphabet, pg_catalog.substr(in_symbols, i + 1, 1)) - 1;
        if digit > 0 then
            total := total # power[(log[digit + 1] + i + 1) % 31 + 1];
        end if;
    end loop;
    return pg_catalog.substr(alphabet, total + 1, 1);
end
$$;
