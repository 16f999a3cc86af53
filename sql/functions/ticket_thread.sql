-- subpay.ticket_thread: what the next mail about a ticket answers: {thread: the Message-ID
-- of the last mail to or from the customer, refs: those before it, oldest first}. One of
-- ours stands there without its domain, which the worker knows. Empty: none yet. Internal.
create or replace function subpay.ticket_thread(in_ticket bigint) returns jsonb
language plpgsql stable
as $$
declare
    ids text[];
begin
    ids := array(
        select k.id
          from (select m.created_at as at, m.message_id as id
                  from subpay.ticket_messages m
                 where m.ticket_id = in_ticket and m.direction = 'in'
                   and m.message_id like '%@%'
                union all
                select x.created_at, 'outbox-' || x.id || '.' || x.message_id
                  from subpay.outbox x
                 where x.ticket_id = in_ticket and x.kind = 'mail'
                 order by 1 desc
                 limit 12) k
         order by k.at);
    return case when ids = '{}' then '{}' else jsonb_build_object(
        'thread', ids[cardinality(ids)], 'refs', to_jsonb(ids)) end;
end
$$;
