-- subpay.settle_many: several facts in one transaction, each as isolated as by itself:
-- one commit for a page of a list, or for the webhooks of one moment.
--
-- The arrays run in parallel. Answers carry idx, the position of the fact counted from
-- 1, in no particular order. All orders are locked first, by id, so that two batches
-- with the same orders cannot wait for each other crosswise.
create or replace function subpay.settle_many(
    in_facts jsonb[], in_vias text[], in_actors text[])
returns table (
    idx int, verdict text, reason text, order_id uuid, reference text, state text,
    completed_via text, mail text, delay_s int)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    perform from orders o
      where o.id in (select (f->>'order_id')::uuid
                       from unnest(in_facts) f
                      where f->>'order_id' ~ '^[0-9a-fA-F-]{36}$')
      order by o.id
        for update;
    return query
        select f.n::int, s.*
          from unnest(in_facts, in_vias, in_actors)
                   with ordinality as f (fact, via, actor, n)
         cross join lateral settle(f.fact, f.via, f.actor) s
         order by f.fact->>'order_id', f.n;
end
$$;
