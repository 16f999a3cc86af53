-- subpay.desk_dispute: somebody answers a bank: evidence, or agreement. Written down here,
-- done by the worker, which asks first what the provider knows of it: evidence goes to a
-- bank once, and who agrees cannot take it back.
--
-- in_ask  as for desk_begin; what (evidence or accept), text (own words), policy (how
--         refunds are handled, as the configuration says)
create or replace function subpay.desk_dispute(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    what constant text := in_ask ->> 'what';
    action constant text := case what when 'accept' then 'dispute_accept'
                                      else 'dispute_evidence' end;
    b record;
    o subpay.orders;
    e jsonb;
    d jsonb;
    key text;
begin
    b := desk_begin(action, in_ask);
    o := b.o;
    if b.answer is not null then
        return b.answer;
    end if;
    e := desk_evidence(o.reference);
    d := e -> 'dispute';
    if d is null then
        return '{"verdict": "no_dispute"}';
    elsif d ->> 'status' not in ('warning', 'open') then
        return '{"verdict": "dispute_over"}';
    end if;
    -- One answer, whichever: a second is possible only when the first was not taken, or
    -- was one to an inquiry that has become a dispute since.
    if exists (select from outbox m
                where m.order_id = o.id and m.kind = 'dispute' and m.state <> 'dead'
                  and m.payload ->> 'dispute_id' = d ->> 'dispute_id'
                  and (m.state <> 'sent'
                       or coalesce(m.payload ->> 'asking', d ->> 'status')
                          = d ->> 'status')) then
        return '{"verdict": "answered"}';
    end if;
    key := format('dispute:%s:%s', d ->> 'dispute_id', (
        select count(*) from outbox m
         where m.order_id = o.id and m.kind = 'dispute'));
    insert into outbox (kind, dedupe_key, order_id, payload)
    values ('dispute', key, o.id, jsonb_strip_nulls(jsonb_build_object(
        'provider', d ->> 'provider', 'dispute_id', d ->> 'dispute_id', 'what', what,
        'by', in_ask ->> 'actor', 'asking', d ->> 'status',
        'evidence', case when what <> 'accept' then jsonb_build_object(
            'customer_email', e ->> 'customer_email',
            'customer_name', e ->> 'customer_name', 'product', e ->> 'product',
            'service_date', e ->> 'service_date', 'log', e ->> 'log',
            'policy', left(in_ask ->> 'policy', 20000),
            'text', left(nullif(in_ask ->> 'text', ''), 20000)) end)));
    perform outbox_wake();
    return desk_end(action, in_ask, o.id,
                    jsonb_build_object('dispute', d ->> 'dispute_id',
                                       'status', d ->> 'status'),
                    jsonb_build_object('what', what),
                    jsonb_build_object('verdict', case what when 'accept' then 'accepting'
                                                            else 'answering' end));
end
$$;
