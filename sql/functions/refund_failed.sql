-- subpay.refund_failed: a refund did not reach the customer: a person finds another way,
-- and whoever was told that it is on its way hears that it came back. Internal.
create or replace function subpay.refund_failed(in_order uuid, in_fact subpay.fact)
returns void
language plpgsql
as $$
declare
    o subpay.orders;
    p subpay.payments;
    told timestamptz;
begin
    select * into o from orders r where r.id = in_order;
    select * into p from payments c
     where c.provider = in_fact.provider and c.payment_id = in_fact.payment_id;
    perform ticket_open('refund_failed', 'refund_failed:' || in_fact.refund_id,
        'A refund has failed', o.id, coalesce(o.email, p.email),
        format('Refund %s of %s, order %s, did not reach the customer: the bank sent it'
               ' back. The money is with us again%s. Find a way that works, such as a'
               ' transfer to an account that the customer names.', in_fact.refund_id,
               money_text(in_fact.amount, p.currency), o.reference,
               case when o.state = 'completed' then ', and access is open' else '' end));
    select m.created_at into told
      from outbox m
     where m.dedupe_key = 'refund_mail:' || in_fact.provider || ':' || in_fact.refund_id;
    if not found then
        return;
    end if;
    insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
    values ('mail', 'refund_failed',
            'refund_failed:' || in_fact.provider || ':' || in_fact.refund_id, o.id,
            coalesce(o.email, p.email),  -- the letter's own may be forgotten by age
            jsonb_strip_nulls(jsonb_build_object(
                'refund', jsonb_build_object(
                    'amount', money_text(in_fact.amount, p.currency),
                    'told_at', moment(told),
                    'plan_open', nullif(exists (
                        select from subscriptions s
                         where s.order_id = o.id and s.status = 'active'), false)),
                'answer_by', (select moment(turn.answers_at)
                                from support_turn(now()) turn))))
        on conflict (dedupe_key) do nothing;
    perform outbox_wake();
end
$$;
