-- subpay.events_known: which events of one page of the provider's list are still to be
-- settled here: all but those processed, ignored, or kept as unreadable. One index probe
-- for each, one statement a page.
create or replace function subpay.events_known(in_provider text, in_ids text[])
returns setof text
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return query
        select i.id
          from unnest(in_ids) i (id)
         where not exists (
               select from provider_events e
                where e.provider = in_provider and e.event_id = i.id
                  and (e.state in ('processed', 'ignored') or e.raw is not null));
end
$$;
