-- subpay.poison_clear: close the alerts about facts that could not be settled, where no
-- such fact is left. One alert for each cause, which is the error. Internal.
create or replace function subpay.poison_clear() returns void
language plpgsql
as $$
begin
    update alerts a
       set closed_at = now()
     where a.key like 'poison:%' and a.closed_at is null
       and not exists (select from provider_events e
                        where e.next_try_at is not null and e.reason = 'error'
                          and left(e.error, 5) = substr(a.key, 8));
end
$$;
