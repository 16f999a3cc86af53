-- subpay.metric_counts: what happened from in_from until before in_until, for counters
-- that never go back. Buckets of "access": 1 is up to a second, see metrics(). Internal.
create or replace function subpay.metric_counts(in_from timestamptz, in_until timestamptz)
returns table (name text, label text, bucket int, value numeric)
language plpgsql stable
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        with done as (
            select o.completed_via::text as via,
                   extract(epoch from greatest(o.access_delay, interval '0')) as s
              from orders o
             where o.completed_at >= in_from and o.completed_at < in_until)
        select 'completions', d.via, 0, count(*)::numeric from done d group by d.via
        union all
        select 'access', '', 1 + width_bucket(d.s - 0.000001, metric_bounds()), count(*)
          from done d where d.s is not null group by 3
        union all
        select 'access_sum', '', 0, sum(d.s) from done d where d.s is not null
        having count(*) > 0
        union all
        select 'payments', p.currency::text, 0, count(*) from payments p
         where p.created_at >= in_from and p.created_at < in_until and p.state = 'taken'
         group by p.currency
        union all
        select 'taken', p.currency::text, 0, sum(p.amount) from payments p
         where p.created_at >= in_from and p.created_at < in_until and p.state = 'taken'
         group by p.currency
        union all
        select 'refunds', '', 0, count(*) from refunds r
         where r.created_at >= in_from and r.created_at < in_until
        having count(*) > 0;
end
$$;
