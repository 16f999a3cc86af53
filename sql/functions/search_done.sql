-- subpay.search_done: what a search has come to; tells whom it concerns.
--
-- in_orders  the orders that fit, settled by now
-- in_clear   the provider has answered every question: only then "none" is true
-- verdict    found, none, waiting (to be tried again), unknown (given up: a person has
--            it), or lost: the lease ran out and another worker has it
create or replace function subpay.search_done(
    in_search uuid, in_lease uuid, in_orders uuid[], in_clear boolean)
returns text
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    s searches;
    found_any boolean;
    verdict text;
    next_at timestamptz;
begin
    select * into s from searches t
     where t.id = in_search and t.lease = in_lease and t.state = 'open'
       for update;
    if not found then
        return 'lost';
    end if;

    -- Last year's order is no answer while the provider has not said everything.
    select coalesce(bool_or(in_clear or o.completed_at > now() - interval '2 days'), false)
      into found_any
      from orders o
     where o.id = any (in_orders)
       and (o.state in ('completed', 'review', 'refunded') or o.processing);
    verdict := case when found_any then 'found'
                    when in_clear then 'none'
                    when s.created_at < now() - interval '3 days' then 'unknown'
                    else 'waiting' end;

    if verdict = 'found' then
        perform search_tell(s, in_orders);
    elsif verdict = 'none' and s.ticket_id is null and s.email is not null then
        perform mail_seldom('not_found', null, s.email, null, null,
                            jsonb_strip_nulls(jsonb_build_object('lang', s.lang)));
    elsif verdict = 'waiting' and s.told_at is null
          and s.created_at <= now() - interval '9 minutes' then
        perform search_late(s);
        s.told_at := now();
    end if;
    if s.ticket_id is not null then
        perform ticket_found(s.ticket_id, in_orders, verdict);
    end if;

    -- Ever later; but an answer was promised within ten minutes.
    next_at := now() + least(power(2, s.attempts) * interval '1 s', interval '10 minutes');
    if s.told_at is null then
        next_at := least(next_at, greatest(s.created_at + interval '9 minutes', now()));
    end if;
    update searches t
       set state = case when verdict = 'waiting' then 'open' else verdict end,
           done_at = case when verdict <> 'waiting' then now() end,
           lease = null, leased_by = null, told_at = s.told_at,
           next_try_at = case when verdict = 'waiting' then next_at else t.next_try_at end
     where t.id = s.id;
    return verdict;
end
$$;
