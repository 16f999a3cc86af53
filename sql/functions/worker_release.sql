-- subpay.worker_release: what this worker has claimed is not in its hands any more: it
-- ran out of time, lost its connection, or died. Due again at once: a mail or a search
-- shall not wait for a lease that nobody holds. The number of such mails.
create or replace function subpay.worker_release(in_id uuid) returns int
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    given_back int;
begin
    update outbox
       set state = 'pending', lease = null, leased_by = null, leased_until = null,
           next_try_at = now()
     where state = 'sending' and leased_by = in_id;
    get diagnostics given_back = row_count;
    if given_back > 0 then
        perform pg_notify('subpay_outbox', '');
    end if;
    update searches
       set lease = null, leased_by = null, next_try_at = now()
     where state = 'open' and leased_by = in_id;
    if found then
        perform pg_notify('subpay_searches', '');
    end if;
    return given_back;
end
$$;
