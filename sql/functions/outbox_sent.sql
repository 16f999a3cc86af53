-- subpay.outbox_sent: it has left. False when the lease is no longer ours: somebody else
-- has the row by now, and will send it once more under the same Message-ID.
create or replace function subpay.outbox_sent(in_id bigint, in_lease uuid) returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
declare
    alert bigint;
begin
    update outbox
       set state = 'sent', sent_at = now(), lease = null, leased_by = null,
           leased_until = null, last_error = null
     where id = in_id and lease = in_lease
    returning case kind when 'alert' then (payload->>'alert')::bigint end into alert;
    if not found then
        return false;
    end if;
    update alerts set told_at = now() where id = alert and told_at is null;
    return true;
end
$$;
