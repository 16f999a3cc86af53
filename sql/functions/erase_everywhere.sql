-- subpay.erase_everywhere: one address (folded) out of every column of every table that
-- can hold text, so that a table which nobody thought of keeps no trace. Reads each of
-- them once. Internal.
create or replace function subpay.erase_everywhere(in_email text, in_instead text)
returns void
language plpgsql
set subpay.hand = 'erase'
as $$
declare
    place record;
    pattern constant text := subpay.erase_pattern(in_email);
begin
    for place in
        select format('subpay.%I', c.relname) as relation,
               -- What came as bytes could not be read, so nothing less than all of it goes.
               string_agg(format(case when a.atttypid = 'bytea'::regtype
                   then '%1$I = case when encode(%1$I, ''escape'') ~* $3 then '''' else %1$I end'
                   else '%1$I = subpay.erase_text(%1$I::text, array[$1], $2)::%2$s' end,
                   a.attname, format_type(a.atttypid, null)), ', ') as changes,
               string_agg(format('or strpos(lower(encode(%I, ''escape'')), $1) > 0', a.attname), ' ')
                   filter (where a.atttypid = 'bytea'::regtype) as bytes
          from pg_attribute a
          join pg_class c on c.oid = a.attrelid
         where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'p')
           and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
           and a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'bytea'::regtype)
         group by c.relname
    loop
        -- strpos before the pattern: it is much quicker, and nearly always says no.
        execute format('update %s r set %s where strpos(lower(r::text), $1) > 0'
                       ' and r::text ~* $3 %s',
                       place.relation, place.changes, place.bytes)
          using in_email, in_instead, pattern;
    end loop;
end
$$;
