-- subpay.desk_write: a person writes to a customer who has not written: found by search, on
-- the telephone, or because money moved. Begins a ticket that waits for their answer.
--
-- in_ask  reference of the order, or none; email (none: the order's), subject, text,
--         lines, actor, form_key
create or replace function subpay.desk_write(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    o subpay.orders;
    address text;
    ticket text;
    answer jsonb;
begin
    select a.answer || '{"again": true}' into answer
      from desk_actions a where a.form_key = (in_ask ->> 'form_key')::uuid;
    if found then
        return answer;
    end if;
    select * into o from orders r where r.reference = in_ask ->> 'reference';
    address := coalesce(nullif(in_ask ->> 'email', ''), o.email);
    if address is null or not email_plausible(address) then
        return '{"verdict": "bad_email"}';
    elsif coalesce(in_ask ->> 'text', '') = '' then
        return '{"verdict": "no_text"}';
    end if;
    -- The key makes two presses of one form, at the same moment, one ticket.
    insert into tickets (kind, dedupe_key, subject, email, order_id, owner, lang, due_at)
    select 'customer', 'written:' || coalesce(in_ask ->> 'form_key', gen_random_uuid()::text),
           coalesce(nullif(left(in_ask ->> 'subject', 80), ''), 'Your payment'), address,
           case when email_fold(address) = email_fold(o.email) then o.id end,
           in_ask ->> 'actor', o.lang, s.answers_at
      from support_turn(now()) s
        on conflict (dedupe_key) do nothing
    returning reference into ticket;
    if not found then
        return (select a.answer || '{"again": true}'
                  from desk_actions a where a.form_key = (in_ask ->> 'form_key')::uuid);
    end if;
    answer := desk_reply((in_ask - 'reference' - 'form_key') || jsonb_build_object('ticket', ticket));
    if answer ->> 'verdict' <> 'replied' then
        raise exception 'a new ticket was refused an answer: %', answer;
    end if;
    answer := jsonb_build_object('verdict', 'replied', 'ticket', ticket);
    if in_ask ? 'form_key' then -- the audit's row is the answer's
        insert into desk_actions (form_key, action, actor, order_id, answer)
        values ((in_ask ->> 'form_key')::uuid, 'write', in_ask ->> 'actor', o.id, answer);
    end if;
    return answer;
end
$$;
