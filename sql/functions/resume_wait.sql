-- subpay.resume_wait: tell this address when payments work again; once, however often
-- asked. False when they work already.
drop function if exists subpay.resume_wait(text);
create or replace function subpay.resume_wait(in_email text, in_lang text default null)
returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    -- Held to the end, so that whoever resumes just now comes before or after us.
    perform from switches s where s.name = 'checkout_paused' and s."on" for share;
    if not found then
        return false;
    end if;
    insert into resume_waits (email, lang) values (in_email, in_lang) on conflict do nothing;
    return true;
end
$$;
