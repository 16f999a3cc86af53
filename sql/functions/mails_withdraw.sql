-- subpay.mails_withdraw: mails that are due and true no longer do not leave, whether they
-- still wait or were taken up and did not get through. Who waits for payments to work
-- again waits on. Internal.
create or replace function subpay.mails_withdraw() returns void
language plpgsql
as $$
declare
    m subpay.outbox;
    why text;
begin
    for m in
        select o.*
          from outbox o
         where o.state in ('pending', 'sending') and o.next_try_at <= now()
           and o.kind = 'mail' and o.template in ('renewal_declined', 'resumed')
         order by o.id
           for update skip locked
    loop
        if m.template = 'resumed' then  -- held, so that whoever resumes now comes after us
            perform from switches s where s.name = 'checkout_paused' for share;
        end if;
        why := mail_overtaken(m);
        continue when why is null;
        update outbox
           set state = 'sent', sent_at = now(), lease = null, leased_by = null,
               leased_until = null, last_error = why
         where id = m.id;
        if m.template = 'resumed' then
            insert into resume_waits (email, lang)
            values (m.recipient, m.payload ->> 'lang')
                on conflict do nothing;
        end if;
    end loop;
end
$$;
