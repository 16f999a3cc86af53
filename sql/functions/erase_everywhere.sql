-- subpay.erase_everywhere: one address out of every column of every table that can hold
-- text, so that a table which nobody thought of keeps no trace. Reads all of them once.
-- Internal.
create or replace function subpay.erase_everywhere(in_email text, in_instead text)
returns void
language plpgsql
set subpay.hand = 'erase'
as $$
declare
    place record;
    change text;
begin
    for place in
        select format('subpay.%I', c.relname) as relation, a.attname as name,
               format_type(a.atttypid, null) as type
          from pg_attribute a
          join pg_class c on c.oid = a.attrelid
         where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'p')
           and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
           and a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'bytea'::regtype)
    loop
        change := case place.type
            when 'bytea' then '''''::bytea'
            else format('subpay.erase_text(%I::text, array[$1], $2)::%s', place.name,
                        place.type) end;
        execute format('update %s set %I = %s where %s ~* $3', place.relation, place.name,
                       change, case place.type when 'bytea'
                                               then format('encode(%I, ''escape'')', place.name)
                                               else format('%I::text', place.name) end)
          using in_email, in_instead, subpay.erase_pattern(in_email);
    end loop;
end
$$;
