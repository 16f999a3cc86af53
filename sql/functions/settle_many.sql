-- subpay.settle_many: several facts in one transaction, each as isolated as by itself:
-- one commit for a page of a list, or for the webhooks of one moment.
--
-- The arrays run in parallel. Answers carry idx, the position of the fact counted from
-- 1, in no particular order.
--
-- All orders are locked first, by id, and then taken in the order of their accounts, so
-- that two batches, or a batch and a single fact, never wait for each other crosswise.
create or replace function subpay.settle_many(
    in_facts jsonb[], in_vias text[], in_actors text[])
returns table (
    idx int, verdict text, reason text, order_id uuid, reference text, state text,
    completed_via text, mail text, delay_s int)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
declare
    uuid_form constant text := '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
    ids constant uuid[] := (select array_agg((f->>'order_id')::uuid)
                              from unnest(in_facts) f
                             where f->>'order_id' ~ uuid_form);
    one record;
begin
    perform from orders o where o.id = any (ids) order by o.id for update;
    for one in
        select f.n, f.fact, f.via, f.actor
          from unnest(in_facts, in_vias, in_actors)
                   with ordinality as f (fact, via, actor, n)
          left join orders o on o.id = any (ids) and o.id::text = f.fact->>'order_id'
         order by email_fold(coalesce(o.email, f.fact->>'email')), f.fact->>'order_id', f.n
    loop
        return query select one.n::int, s.* from settle(one.fact, one.via, one.actor) s;
    end loop;
end
$$;
