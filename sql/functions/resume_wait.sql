-- subpay.resume_wait: tell this address when payments work again; once, however often
-- asked. False when they work already.
create or replace function subpay.resume_wait(in_email text) returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    -- Held to the end, so that whoever resumes just now comes before or after us.
    perform from switches s where s.name = 'checkout_paused' and s."on" for share;
    if not found then
        return false;
    end if;
    insert into resume_waits (email) values (in_email) on conflict do nothing;
    return true;
end
$$;
