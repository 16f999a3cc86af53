-- subpay.disputes_due: take open disputes to ask about: those not heard of for an hour, the
-- longest first. Banks decide weeks after a dispute was made, and the provider's list of new
-- ones does not come by it again. Whoever takes one and gets no answer gives it back by
-- that: it is due again in a minute. dispute_asked notes the answer.
create or replace function subpay.disputes_due(in_limit int)
returns table (provider text, dispute_id text)
language sql volatile security definer
set search_path = subpay, pg_temp
as $$
    with due as (
        select d.provider, d.dispute_id
          from subpay.disputes d
         where d.status in ('warning', 'open', 'under_review')
           and coalesce(d.asked_at, d.created_at) < now() - interval '1 h'
         order by d.asked_at nulls first
         limit in_limit
           for update skip locked)
    update subpay.disputes d
       set asked_at = now() - interval '59 min'
      from due
     where d.provider = due.provider and d.dispute_id = due.dispute_id
    returning d.provider, d.dispute_id
$$;
