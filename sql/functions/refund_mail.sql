-- subpay.refund_mail: tell the customer that the money is on its way back: once for each
-- refund, when it has succeeded, whoever made it and wherever. Internal.
create or replace function subpay.refund_mail(in_order uuid, in_fact subpay.fact)
returns void
language plpgsql
as $$
declare
    o subpay.orders;
    p subpay.payments;
    why text;
    first_at timestamptz;
begin
    select * into o from orders r where r.id = in_order;
    select * into p from payments c
     where c.provider = in_fact.provider and c.payment_id = in_fact.payment_id;
    if coalesce(o.email, p.email) is null then
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
    if o.state = 'completed' and o.payment_id is distinct from p.payment_id then
        why := 'duplicate';
    end if;
    if why = 'duplicate' then
        select e.paid_at into first_at
          from orders e where e.id = coalesce(o.duplicate_of, o.id);
        first_at := nullif(first_at, p.paid_at);
    end if;
    insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
    values ('mail', case when why = 'duplicate' then 'duplicate' else 'refund' end,
            'refund_mail:' || in_fact.provider || ':' || in_fact.refund_id, o.id,
            coalesce(o.email, p.email),
            jsonb_strip_nulls(jsonb_build_object(
                'money', jsonb_build_object('returned', true,
                             'amount', money_text(in_fact.amount, p.currency)),
                'first_at', case when why = 'duplicate' then moment(first_at) end,
                'second_at', case when why = 'duplicate' then moment(p.paid_at) end,
                'refund', case when why is distinct from 'duplicate'
                               then jsonb_build_object(
                    'expected', moment(now() + interval '14 days'),
                    'unasked_paid_at', case when why = 'unasked' then moment(p.paid_at) end,
                    'no_plan', nullif(o.completed_at is null, false),
                    'plan_ends', case when o.state = 'refunded'
                                           and o.completed_at is not null
                                      then moment(now()) end) end)))
        on conflict (dedupe_key) do nothing;
    perform outbox_wake();
end
$$;
