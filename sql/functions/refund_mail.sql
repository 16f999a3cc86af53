-- subpay.refund_mail: tell the customer that the money is on its way back: once for each
-- refund, when it has succeeded, whoever made it and wherever. Internal.
create or replace function subpay.refund_mail(in_order uuid, in_fact subpay.fact)
returns void
language plpgsql
as $$
declare
    o subpay.orders;
    p subpay.payments;
    part text;
    why text;
    until timestamptz; -- when access ends now that a renewal's money is gone, and
    ends timestamptz;  -- where that is over: with its grace
    kept timestamptz;  -- when the other one was paid, which stays
begin
    select * into o from orders r where r.id = in_order;
    select * into p from payments c
     where c.provider = in_fact.provider and c.payment_id = in_fact.payment_id;
    if coalesce(o.email, p.email) is null then
        return;
    end if;
    -- Told as a total already, before its name was known (payment_asked).
    perform from outbox m
      where m.dedupe_key = format('refund_mail:%s:%s', p.provider, refund_untold(p));
    if found then
        return;
    end if;
    select coalesce(m.payload ->> 'why',
                    case when (m.payload ->> 'duplicate')::boolean then 'duplicate' end)
      into why
      from outbox m
     where m.order_id = o.id and m.kind = 'refund'
       and m.payload ->> 'payment_id' = p.payment_id
     order by m.id desc
     limit 1;
    part := payment_part(o, p);
    if o.state = 'completed' and part = 'second' then
        why := 'duplicate';
    elsif part = 'renewal' and money_gone(p) then
        select s.expires_at, greatest(now(), s.grace_until) into until, ends
          from subscriptions s where s.order_id = o.id and s.status = 'active';
    end if;
    if why = 'duplicate' then
        select k.paid_at into kept
          from payments k
         where k.payment_id <> p.payment_id and k.amount_refunded < k.amount
           and k.order_id in (
               select o.id
                union
               select o.duplicate_of
                union
               select s2.order_id
                 from subscriptions s1
                 join subscriptions s2 on s2.account_id = s1.account_id
                                      and s2.product = s1.product
                where s1.order_id = o.id)
         order by k.order_id = o.duplicate_of desc nulls last, k.paid_at desc
         limit 1;
        if kept is null then  -- both went back: access does not stay as it is
            why := null;
        end if;
    end if;
    insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
    values ('mail', case when why = 'duplicate' then 'duplicate' else 'refund' end,
            'refund_mail:' || in_fact.provider || ':' || in_fact.refund_id, o.id,
            coalesce(o.email, p.email),
            jsonb_strip_nulls(jsonb_build_object(
                'money', jsonb_build_object('returned', true,
                             'amount', money_text(in_fact.amount, p.currency)),
                'first_at', case when kept is not null then moment(least(kept, p.paid_at)) end,
                'second_at', case when kept is not null then moment(greatest(kept, p.paid_at)) end,
                'refund', case when why is distinct from 'duplicate'
                               then jsonb_build_object(
                    'expected', moment(now() + interval '14 days'),
                    'arn', (select r.bank_reference from refunds r
                             where r.provider = in_fact.provider
                               and r.refund_id = in_fact.refund_id),
                    'unasked_paid_at', case when why = 'unasked' then moment(p.paid_at) end,
                    'no_plan', nullif(o.completed_at is null, false),
                    'plan_until', case when until > now() then moment(until) end,
                    'plan_ends', case when o.state = 'refunded'
                                           and o.completed_at is not null
                                      then moment(now())
                                      when until <= now() then moment(ends) end) end)))
        on conflict (dedupe_key) do nothing;
    perform outbox_wake();
end
$$;
