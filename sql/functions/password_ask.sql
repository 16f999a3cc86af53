-- subpay.password_ask: somebody wants a link to choose a password for this address.
--
-- Answers nothing: whoever asks must not learn whether the address is known. The mail
-- goes to the address as it is stored, never as it was typed, and one account gets one
-- in two minutes.
create or replace function subpay.password_ask(in_email text)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    who accounts;
begin
    select * into who from accounts a where a.email = email_fold(in_email);
    if not found then
        return;
    end if;
    insert into outbox (kind, template, dedupe_key, recipient, payload)
    values ('mail', 'set_password',
            'set_password:' || who.id || ':'
                || (extract(epoch from now()) / 120)::bigint,
            who.email, jsonb_build_object('account_id', who.id))
        on conflict (dedupe_key) do nothing;
    if found then
        perform outbox_wake();
    end if;
end
$$;
