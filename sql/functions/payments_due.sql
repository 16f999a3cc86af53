-- subpay.payments_due: take payments to ask this provider about, which keeps no list of
-- refunds: the longest not asked first. Daily for two weeks, which is when most refunds are
-- made, then weekly while a card can be charged back. Whoever takes one and gets no answer
-- gives it back by that: it is due again in a minute. payment_asked notes the answer.
create or replace function subpay.payments_due(in_provider text, in_limit int)
returns setof text
language sql volatile security definer
set search_path = subpay, pg_temp
as $$
    with due as (
        select p.provider, p.payment_id, w.pause
          from subpay.payments p
         cross join lateral (select case when p.created_at > now() - interval '14 days'
                                         then interval '1 day'
                                         else interval '7 days' end as pause) w
         where p.provider = in_provider and p.state = 'taken' and p.order_id is not null
           and (p.amount_refunded < p.amount and not p.disputed
                or p.asked_at < p.updated_at)  -- taken, and the answer was not noted
           and p.created_at > now() - interval '130 days'
           and coalesce(p.asked_at, p.created_at) < now() - w.pause
         order by p.asked_at nulls first
         limit in_limit
           for update of p skip locked)
    update subpay.payments p
       set asked_at = now() - due.pause + interval '1 min'
      from due
     where p.provider = due.provider and p.payment_id = due.payment_id
    returning p.payment_id
$$;
