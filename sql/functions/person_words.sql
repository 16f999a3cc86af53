-- subpay.person_words: what the rows about a person call them: addresses, and names of more
-- than one word ("Ana" alone would be found in everybody's "banana"). As plain text and as
-- JSON writes it. Internal.
create or replace function subpay.person_words(
    in_email text, in_orders uuid[], in_accounts uuid[])
returns text[]
language sql stable
as $$
    with said (word) as (
        select in_email
        union select unnest(array[o.email, o.name]) from subpay.orders o
               where o.id = any (in_orders)
        union select unnest(array[p.email, p.name]) from subpay.payments p
               where p.order_id = any (in_orders)
        union select unnest(array[a.email, a.name]) from subpay.accounts a
               where a.id = any (in_accounts)
        union select unnest(array[k.before ->> 'email', k.after ->> 'email'])
                from subpay.audit k where k.order_id = any (in_orders))
    select array_agg(distinct w)
      from said, lateral (values (word), (trim(both '"' from to_jsonb(word)::text))) v(w)
     where word like '%@%' or word like '_% _%'
$$;
