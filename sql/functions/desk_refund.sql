-- subpay.desk_refund: somebody decides to send money back. Writes the decision down; the
-- worker makes the refund, under a key of its own, so that a lost reply is repeated and
-- never made twice.
--
-- in_ask  as for desk_begin; amount (minor units; null: all that is left), payment (null:
--         the newest that is not refunded: of a plan that renews, its latest period's),
--         duplicate (true: the payment that is one too many)
-- A payment under dispute is never refunded, and no more than what is left of it: what
-- went back and what was asked for before count. Above a set sum a second person confirms
-- (refund_ask), counted for the payment as a whole: parts do not slip through.
create or replace function subpay.desk_refund(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    duplicate constant boolean := coalesce((in_ask ->> 'duplicate')::boolean, false);
    action constant text := case when duplicate then 'refund_duplicate' else 'refund' end;
    key constant text := coalesce(in_ask ->> 'form_key', gen_random_uuid()::text);
    b record;
    o subpay.orders;
    p subpay.payments;
    asked bigint;
    remaining bigint;
    amount bigint;
begin
    b := desk_begin(action, in_ask);
    o := b.o;
    if b.answer is not null then
        return b.answer;
    end if;
    select * into p from payments c
     where c.order_id = o.id
       and case when in_ask ? 'payment' then c.payment_id = in_ask ->> 'payment'
                when duplicate then payment_part(o, c) = 'second'
                                    and c.amount_refunded < c.amount
                else payment_part(o, c) <> 'second' end
     order by (c.state <> 'released' and c.amount_refunded < c.amount) desc,
              c.paid_at desc,
              (select q.starts_at from periods q
                where q.provider = c.provider and q.payment_id = c.payment_id)
                  desc nulls last
     limit 1
       for update;
    if not found and duplicate and exists (
           select from tickets t
            where t.order_id = o.id and t.kind = 'duplicate' and t.state <> 'solved') then
        -- Its twin is another order: this one's own payment goes back.
        select * into p from payments c
         where c.order_id = o.id and c.payment_id = o.payment_id for update;
    end if;
    if p.payment_id is null then
        return '{"verdict": "no_payment"}';
    elsif not refund_allowed(p.provider, p.payment_id) then
        return '{"verdict": "disputed"}';
    end if;

    select coalesce(sum((m.payload ->> 'amount')::bigint), 0) into asked
      from outbox m
     where m.order_id = o.id and m.kind = 'refund' and m.state in ('pending', 'sending')
       and m.payload ->> 'payment_id' = p.payment_id;
    remaining := p.amount - p.amount_refunded - asked;
    amount := coalesce((in_ask ->> 'amount')::bigint, remaining);
    if remaining <= 0 then
        return jsonb_build_object('verdict', case when asked > 0 then 'under_way'
                                                  else 'nothing_left' end);
    elsif amount <= 0 or amount > remaining then
        return jsonb_build_object('verdict', 'too_much',
                                  'left', money_text(remaining, p.currency));
    end if;

    if refund_needs_two(p.amount_refunded + asked + amount, p.currency) then
        b.answer := refund_ask(in_ask, o, p, amount, duplicate);
        if b.answer is not null then
            return b.answer;
        end if;
    end if;

    insert into outbox (kind, dedupe_key, order_id, payload)
    values ('refund', 'refund:' || key, o.id, jsonb_build_object(
        'provider', p.provider, 'payment_id', p.payment_id, 'amount', amount,
        'currency', p.currency, 'duplicate', duplicate, 'by', in_ask ->> 'actor',
        'refunded_then', p.amount_refunded + asked,
        'asked_at', extract(epoch from now())::bigint));
    perform outbox_wake();
    if duplicate then
        perform desk_solve(o.id, 'duplicate', in_ask ->> 'actor',
            format('%s of payment %s is sent back.', money_text(amount, p.currency),
                   p.payment_id));
    end if;
    return desk_end(action, in_ask, o.id,
                    jsonb_build_object('state', o.state, 'refunded', p.amount_refunded),
                    jsonb_build_object('payment', p.payment_id, 'amount', amount,
                                       'currency', p.currency),
                    jsonb_build_object('verdict', 'asked', 'payment', p.payment_id,
                                       'paid_at', moment(p.paid_at),
                                       'amount', money_text(amount, p.currency)));
end
$$;
