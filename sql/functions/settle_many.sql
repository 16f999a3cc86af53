-- subpay.settle_many: several facts in one transaction, each as isolated as by itself:
-- one commit for the webhooks of one moment.
--
-- The arrays run in parallel. Answers carry idx, the position of the fact counted from
-- 1, in no particular order.
--
-- verdict   as of settle, or
--           busy  not tried: its order is locked elsewhere, and the others shall not
--                 wait for it; settle it alone
--
-- All orders are locked first, those that are free, and then taken in the order of
-- their accounts, so that two batches, or a batch and a single fact, never wait for
-- each other crosswise. What is not known beforehand (an account, a new payment) may
-- still be locked: after lock_timeout all is undone, and the caller settles each alone.
create or replace function subpay.settle_many(
    in_facts jsonb[], in_vias text[], in_actors text[])
returns table (
    idx int, verdict text, reason text, order_id uuid, reference text, state text,
    completed_via text, mail text, delay_s int)
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0                  -- by index (README)
set plan_cache_mode = force_generic_plan  -- or each call plans anew, for so many facts
set lock_timeout = '100ms'
as $$
#variable_conflict use_column
declare
    uuid_form constant text := '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
    ids constant uuid[] := array(select case when f->>'order_id' ~ uuid_form
                                             then (f->>'order_id')::uuid end
                                   from unnest(in_facts) f);
    locked uuid[];
    emails text[];
    one record;
    tried boolean;
begin
    -- One by one: for "id = any (ids)" a plan made while the table is small reads all
    -- of it, and would be kept when it has grown.
    select array_agg(o.id), array_agg(o.email)
      into locked, emails
      from (select distinct i from unnest(ids) i order by i) wanted,
           lateral (select id, email
                      from orders
                     where id = wanted.i
                       for update skip locked) o;
    for one in
        select f.n, f.fact, f.via, f.actor, f.id, o.id is not null as ready
          from unnest(in_facts, in_vias, in_actors, ids)
                   with ordinality as f (fact, via, actor, id, n)
          left join unnest(locked, emails) as o (id, email) on o.id = f.id
         order by email_fold(coalesce(o.email, f.fact->>'email')), f.id, f.n
    loop
        -- In two steps: a query inside of a condition is planned each time.
        tried := one.ready or one.id is null;
        if not tried then
            tried := not exists (select from orders o where o.id = one.id);
        end if;
        if tried then
            return query select one.n::int, s.*
                           from settle(one.fact, one.via, one.actor) s;
        else
            idx := one.n;
            verdict := 'busy';
            return next;
        end if;
    end loop;
end
$$;
