-- subpay.event_store: write one event down; true when it is ours to deal with.
--
-- False when it was dealt with before. A row that failed, was parked or waits is taken
-- up again. One that waits ("received") is tried after as long again as it has waited
-- already, and called "ignored" after three days: then it is not ours. Two sessions
-- with the same new event: the second waits at the unique key for the first one's end,
-- and then finds it processed. Internal.
create or replace function subpay.event_store(
    in_fact subpay.fact, in_raw jsonb, in_state text, in_reason text, in_order uuid)
returns boolean
language plpgsql
as $$
declare
    waits constant boolean := in_state = 'received';
    failures int;
begin
    if in_fact.event_id is null then
        return true;  -- we asked ourselves: nothing to remember
    end if;
    insert into provider_events as e (provider, event_id, type, kind, created,
                                      processed_at, state, reason, fact, order_id,
                                      next_try_at)
    values (in_fact.provider, in_fact.event_id, in_fact.event_type, in_fact.kind,
            to_timestamp(in_fact.at),
            case when not waits then now() end, in_state, in_reason, in_raw, in_order,
            case when waits then now() + interval '10 s' end)
        on conflict (provider, event_id) do update
       set state = excluded.state, reason = excluded.reason, error = null,
           processed_at = excluded.processed_at, order_id = excluded.order_id,
           next_try_at = case when waits then now() + greatest(now() - e.received_at,
                                                               interval '10 s') end
     where e.state in ('received', 'failed', 'parked')
    returning e.attempts into failures;

    if failures > 0 then
        perform poison_clear();
    end if;
    return failures is not null;
end
$$;
