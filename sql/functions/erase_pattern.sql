-- subpay.erase_pattern: finds a word where it stands whole. Internal.
create or replace function subpay.erase_pattern(in_word text) returns text
language sql immutable
as $$
    select '(?<![[:alnum:]._%+-])'
           || regexp_replace(in_word, '([][\\.*+?^$(){}|])', '\\\1', 'g')
           || '(?![[:alnum:]-]|\.[[:alnum:]])'
$$;
