-- subpay.refund_mail: tell the customer that the money is on its way back: once for each
-- refund, as soon as it exists, whoever made it and wherever. Internal.
create or replace function subpay.refund_mail(in_order uuid, in_fact subpay.fact)
returns void
language plpgsql
as $$
declare
    o subpay.orders;
    p subpay.payments;
    twice boolean;
begin
    select * into o from orders r where r.id = in_order;
    select * into p from payments c
     where c.provider = in_fact.provider and c.payment_id = in_fact.payment_id;
    if coalesce(o.email, p.email) is null then
        return;
    end if;
    twice := o.state = 'completed' and o.payment_id is distinct from p.payment_id
             or exists (select from outbox m
                         where m.order_id = o.id and m.kind = 'refund'
                           and m.payload ->> 'payment_id' = p.payment_id
                           and (m.payload ->> 'duplicate')::boolean);
    insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
    values ('mail', case when twice then 'duplicate' else 'refund' end,
            'refund_mail:' || in_fact.provider || ':' || in_fact.refund_id, o.id,
            coalesce(o.email, p.email),
            jsonb_strip_nulls(jsonb_build_object(
                'money', jsonb_build_object('returned', true,
                             'amount', money_text(in_fact.amount, p.currency)),
                'second_at', case when twice then moment(p.paid_at) end,
                'refund', case when not twice then jsonb_build_object(
                    'expected', moment(now() + interval '14 days'),
                    'plan_ends', case when o.state = 'refunded'
                                      then moment(now()) end) end)))
        on conflict (dedupe_key) do nothing;
    perform outbox_wake();
end
$$;
