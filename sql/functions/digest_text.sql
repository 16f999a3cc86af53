-- subpay.digest_text: what the daily summary says: who needs a person, what healed by
-- itself, how things stand. Internal.
create or replace function subpay.digest_text() returns jsonb
language plpgsql stable
set search_path = subpay, pg_temp
as $$
declare
    at_once constant int := 20;
    desk constant text := (select s.site || '/admin' from settings s);
    queue constant jsonb := desk_queue();
    alarms jsonb;
begin
    -- What a ticket says already is not said twice.
    select coalesce(jsonb_agg(jsonb_build_object(
               'who', a.text, 'since', moment(a.raised_at) ->> 'text',
               'amount', case when a.count > 1 then a.count || ' times' else 'once' end,
               'next_step', case when a.taken_by is null then 'look at it'
                                 else a.taken_by || ' has it' end,
               'url', desk || '/alerts') order by a.level, a.id), '[]')
      into alarms
      from alerts a
     where a.closed_at is null and a.level <> 'log'
       and a.key not like 'ticket:%' and a.key <> 'anomaly:ticket_late';
    return jsonb_strip_nulls(jsonb_build_object(
        'admin_url', desk || '/',
        'needs_count', (queue ->> 'count')::int + jsonb_array_length(alarms),
        'needs', alarms || coalesce((
            select jsonb_agg(jsonb_build_object(
                       'who', coalesce(q ->> 'email', q ->> 'reference', q ->> 'subject'),
                       'since', q #>> '{since,text}',
                       'amount', coalesce(q ->> 'amount_text', 'no amount'),
                       'next_step', q ->> 'subject',
                       'url', desk || coalesce('/tickets/' || (q ->> 'ticket'),
                                               '/orders/' || (q ->> 'reference'), '/')))
              from (select * from jsonb_array_elements(queue -> 'rows') r(q) limit at_once) r),
            '[]'),
        'healed_count', (queue ->> 'healed')::int,
        'healed_slowest', (
            select extract(epoch from max(o.access_delay))::bigint / 60 || ' min'
              from orders o
             where o.completed_at > now() - interval '1 day'
               and o.completed_via in ('replay', 'reconcile', 'self_service')),
        'health', digest_health(),
        'thanks', thanks_since(now() - interval '1 day'),
        'deadlines', (
            select jsonb_agg(jsonb_build_object(
                       'what', 'Dispute of ' || money_text(d.amount, p.currency)
                               || coalesce(', ' || o.reference, ''),
                       'due', moment(d.due_by) ->> 'text',
                       'url', desk || coalesce('/orders/' || o.reference, '/'))
                   order by d.due_by)
              from disputes d
              join payments p on p.provider = d.provider and p.payment_id = d.payment_id
              left join orders o on o.id = p.order_id
             where d.due_by > now())));
end
$$;
