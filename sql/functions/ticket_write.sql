-- subpay.ticket_write: a customer writes to us. Also asks for a search, as search_add
-- does: most of what people write about heals by being looked for.
--
-- in_form_key  of the form: sent twice, it makes one ticket
-- in_lang      the language they read
-- in_charged   whether they see the charge at their bank: yes, no or unsure
-- again        this form had made its ticket before
-- answers_at   the clock time by which a person answers, in epoch microseconds
drop function if exists subpay.ticket_write(uuid, text, text, text, text, bytea);
create or replace function subpay.ticket_write(
    in_form_key uuid, in_email text, in_body text, in_charged text, in_reference text,
    in_token_hash bytea, in_lang text default null,
    out reference text, out again boolean, out answers_at bigint)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
declare
    ticket tickets;
    key constant text := 'form:' || coalesce(in_form_key, gen_random_uuid());
begin
    insert into tickets as t (kind, dedupe_key, subject, email, charged, lang, due_at)
    select 'customer', key, left(split_part(in_body, E'\n', 1), 80), in_email, in_charged,
           in_lang, turn.answers_at
      from support_turn(now()) turn
        on conflict (dedupe_key) do nothing
    returning t.* into ticket;
    again := not found;
    if again then
        select * into ticket from tickets t where t.dedupe_key = key;
    else
        insert into ticket_messages (ticket_id, direction, author, body)
        values (ticket.id, 'in', 'customer', in_body);
        insert into searches (email, reference, token_hash, ticket_id, lang)
        values (in_email, in_reference, in_token_hash, ticket.id, in_lang);
        perform pg_notify('subpay_searches', '');
    end if;
    reference := ticket.reference;
    answers_at := epoch_us(ticket.due_at);
end
$$;
