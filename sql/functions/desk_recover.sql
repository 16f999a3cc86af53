-- subpay.desk_recover: what recovering an order leaves to do after the provider was asked
-- and its answer settled: mend what is missing, and write down who pressed.
--
-- in_ask  as for desk_begin; "settled" is settle's verdict
create or replace function subpay.desk_recover(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    settled constant text := in_ask ->> 'settled';
    b record;
    o subpay.orders;
    mended text[] := '{}';
    verdict text;
begin
    b := desk_begin('recover', in_ask - 'seen');
    o := b.o;
    if b.answer ->> 'verdict' = 'no_order' then
        return b.answer;
    end if;
    if o.state = 'completed' then
        if anomaly_mend('no_subscription', o.id) then
            mended := mended || 'access'::text;
        end if;
        if not exists (select from outbox m where m.dedupe_key = 'welcome:' || o.id)
           and anomaly_mend('mail_not_sent', o.id) then
            mended := mended || 'mail'::text;
        end if;
    end if;
    verdict := case when settled = 'completed' or mended <> '{}' then 'recovered'
                    when o.state = 'completed' then 'open_already'
                    when o.state = 'review' then 'review'
                    when o.state = 'refunded' then 'refunded'
                    when o.processing then 'processing'
                    else 'unpaid' end;
    if verdict <> 'recovered' then
        return jsonb_build_object('verdict', verdict, 'by', b.answer ->> 'by');
    end if;
    return desk_end('recover', in_ask - 'form_key', o.id,
                    jsonb_build_object('state', in_ask ->> 'before'),
                    jsonb_build_object('state', o.state, 'mended', mended),
                    jsonb_build_object('verdict', verdict));
end
$$;
