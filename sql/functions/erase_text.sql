-- subpay.erase_text: a text without these words (addresses, full names), in any case of
-- letters. Whole ones only: diana@example.com is somebody else than ana@example.com.
-- Internal.
create or replace function subpay.erase_text(in_text text, in_words text[], in_instead text)
returns text
language plpgsql immutable
as $$
declare
    word text;
begin
    foreach word in array in_words loop
        in_text := regexp_replace(in_text, erase_pattern(word), in_instead, 'gi');
    end loop;
    return in_text;
end
$$;
