-- subpay.event_keep: keep, byte for byte, a signed body that could not be read.
--
-- Answered 2xx by the caller: the same bytes again cannot help. Without an event id the
-- row is keyed by the hash of the bytes, so that a repeat is the same row. A person is
-- told. An event that was settled on another road stays as it is.
--
-- verdict  parked, or already
create or replace function subpay.event_keep(
    in_provider text, in_event_id text, in_raw bytea, in_error text, out verdict text)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    event constant text := coalesce(in_event_id,
                                    'sha256:' || encode(sha256(in_raw), 'hex'));
begin
    insert into provider_events (provider, event_id, state, reason, raw, error, attempts,
                                 next_try_at)
    values (in_provider, event, 'parked', 'unreadable', in_raw, in_error, 1,
            now() + interval '1 day')
        on conflict (provider, event_id) do nothing;
    if not found then
        verdict := 'already';
        return;
    end if;
    perform ticket_open('unreadable', 'unreadable:' || in_provider || ':' || event,
        'The provider sent something we cannot read', null, null,
        format('Event %s of %s is kept as it came, %s bytes: %s.', event, in_provider,
               octet_length(in_raw), in_error));
    verdict := 'parked';
end
$$;
