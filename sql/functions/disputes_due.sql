-- subpay.disputes_due: take open disputes to ask about, the longest not asked about first.
-- Banks decide weeks after a dispute was made, and the provider's list of new ones does not
-- come by it again. Each once in a look, which is hourly: the caller comes back until
-- fewer than in_limit are left.
create or replace function subpay.disputes_due(in_limit int)
returns table (provider text, dispute_id text)
language sql volatile security definer
set search_path = subpay, pg_temp
as $$
    with due as (
        select d.provider, d.dispute_id
          from subpay.disputes d
         where d.status in ('warning', 'open', 'under_review')
           and coalesce(d.asked_at, '-infinity') < now() - interval '10 min'
         order by d.asked_at nulls first
         limit in_limit
           for update skip locked)
    update subpay.disputes d
       set asked_at = now()
      from due
     where d.provider = due.provider and d.dispute_id = due.dispute_id
    returning d.provider, d.dispute_id
$$;
