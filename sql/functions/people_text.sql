-- subpay.people_text: "1 person", "3 people". Internal.
create or replace function subpay.people_text(in_count bigint) returns text
language sql immutable
as $$ select in_count || case when in_count = 1 then ' person' else ' people' end $$;
