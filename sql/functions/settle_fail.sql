-- subpay.settle_fail: keep a fact that could not be applied; settle has undone the rest.
--
-- Tried again after 10 s, 40 s, 160 s, 640 s, and from the fifth failure on ("parked",
-- with a ticket) once a day, without end. What cannot even be read is parked at once.
-- One alert for each error, however many payments, events and roads stumble over it.
-- A fact without an event gets an id of its own, so that it too is kept once. Internal.
create or replace function subpay.settle_fail(
    in_fact jsonb, in_readable boolean, in_error text)
returns subpay.settled
language plpgsql
as $$
declare
    about constant text := poison_key(in_fact);
    id constant text := coalesce(in_fact->>'event_id', 'fact:'
        || coalesce(in_fact->>'kind', 'unknown') || ':'
        || coalesce(in_fact->>'payment_id', in_fact->>'checkout_id',
                    in_fact->>'order_id', 'unknown'));
    tries int;
    now_in text;
    answer subpay.settled;
begin
    if exists (select from orders o
                where o.erased_at is not null
                  and o.id in (
                      select (in_fact->>'order_id')::uuid
                       where in_fact->>'order_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                       union all
                      select p.order_id from payments p
                       where p.payment_id = in_fact->>'payment_id'
                         and p.provider = in_fact->>'provider')) then
        in_fact := fact_forget(in_fact);
    end if;
    insert into provider_events as e (provider, event_id, type, kind, state, reason,
                                      fact, error, attempts, next_try_at)
    values (coalesce(in_fact->>'provider', 'unknown'), id, in_fact->>'event_type',
            in_fact->>'kind', case when in_readable then 'failed' else 'parked' end,
            'error', in_fact || jsonb_build_object('event_id', id), in_error, 1,
            now() + case when in_readable then interval '10 s' else interval '1 day' end)
        on conflict (provider, event_id) do update
       set state = case when e.attempts < 4 and in_readable
                        then 'failed' else 'parked' end,
           reason = 'error', processed_at = null,
           error = excluded.error,
           attempts = e.attempts + 1,
           next_try_at = now() + case when e.attempts < 4 and in_readable
                                      then interval '10 s' * 4 ^ e.attempts
                                      else interval '1 day' end
    returning e.attempts, e.state into tries, now_in;

    if in_readable then
        perform alert_raise('poison:' || left(in_error, 5), 'page',
            'A payment event cannot be settled',
            jsonb_build_object('event', id, 'kind', in_fact->>'kind',
                               'sqlstate', left(in_error, 5), 'attempts', tries));
    end if;
    if now_in = 'parked' then
        perform ticket_open(case when in_readable then 'poison' else 'unreadable' end,
            about, 'A payment event cannot be settled', null,
            in_fact->>'email',
            format('Event %s (%s), payment %s: %s. It is still tried once a day.', id,
                   in_fact->>'kind', in_fact->>'payment_id', in_error));
    end if;
    answer.verdict := coalesce(now_in, 'failed');
    answer.reason := 'error';
    return answer;
end
$$;
