-- subpay.event_retry: settle a stored fact again. Answers as settle does; ignored with
-- reason "event_unknown" when there is no such event or only its raw bytes.
create or replace function subpay.event_retry(in_provider text, in_event_id text)
returns subpay.settled
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    stored jsonb;
    nobody subpay.orders;
begin
    select e.fact into stored
      from provider_events e
     where e.provider = in_provider and e.event_id = in_event_id;
    if stored is null then
        return settle_answer('ignored', 'event_unknown', nobody);
    end if;
    return settle(stored, 'replay', 'worker');
end
$$;
