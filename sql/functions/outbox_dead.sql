-- subpay.outbox_dead: it can never leave (a hard bounce). True when the row was ours.
create or replace function subpay.outbox_dead(
    in_id bigint, in_lease uuid, in_error text)
returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    perform from outbox where id = in_id and lease = in_lease for update;
    if not found then
        return false;
    end if;
    perform outbox_bury(in_id, in_error);
    return true;
end
$$;
