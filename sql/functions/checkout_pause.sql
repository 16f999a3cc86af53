-- subpay.checkout_pause: stop taking new payments, or take them again; true when that
-- changed something. Resuming writes to everybody who asked to be told.
create or replace function subpay.checkout_pause(in_on boolean, in_actor text, in_why text)
returns boolean
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    insert into switches as s (name, "on", by, why)
    select 'checkout_paused', in_on, in_actor, in_why
     where in_on or exists (select from switches k where k.name = 'checkout_paused')
        on conflict (name) do update
       set "on" = in_on, by = in_actor, at = now(), why = in_why
     where s."on" <> in_on;
    if not found then
        return false;
    end if;
    perform audit_add(in_actor, case when in_on then 'support.pause' else 'support.resume' end,
                      null, null, in_why);
    if not in_on then
        with told as (delete from resume_waits returning id, email, lang)
        insert into outbox (kind, template, dedupe_key, recipient, payload)
        select 'mail', 'resumed', 'resumed:' || told.id, told.email,
               jsonb_strip_nulls(jsonb_build_object(
                   'plans_url', (select k.site || '/' from settings k),
                   'lang', told.lang))
          from told;
        perform outbox_wake();
    end if;
    return true;
end
$$;
