-- subpay.events_due: stored facts to be settled again, longest due first. Raw bytes that
-- could not be read are not among them: the same bytes again cannot help.
create or replace function subpay.events_due(in_limit int)
returns table (provider text, event_id text, fact jsonb)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        select e.provider, e.event_id, e.fact
          from provider_events e
         where e.next_try_at <= now() and e.fact is not null
         order by e.next_try_at
         limit in_limit;
end
$$;
