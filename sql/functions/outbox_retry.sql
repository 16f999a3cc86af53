-- subpay.outbox_retry: it did not leave this time; when to try again.
--
-- 10 s, doubling to an hour, with a quarter of jitter either way so that a mail server
-- coming back does not meet everything at once. Given up only after three days: dead,
-- alerted, and for a mail a ticket. A capture is tried as long as banks hold money.
--
-- Returns the row's state: pending, dead, or lost (the lease is no longer ours).
create or replace function subpay.outbox_retry(
    in_id bigint, in_lease uuid, in_error text)
returns text
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    began timestamptz;
    patience interval;
begin
    update outbox
       set state = 'pending', lease = null, leased_by = null, leased_until = null,
           last_error = in_error,
           next_try_at = now() + (0.75 + random() / 2)
                               * least(interval '1 hour',
                                       interval '10 s' * 2 ^ least(attempts - 1, 20))
     where id = in_id and lease = in_lease
    returning created_at, case kind when 'capture' then interval '10 days'
                                     else interval '3 days' end into began, patience;
    if not found then
        return 'lost';
    elsif began < now() - patience then
        perform outbox_bury(in_id, in_error);
        return 'dead';
    end if;
    return 'pending';
end
$$;
