-- subpay.inbox_ticket: which ticket a mail belongs to: the one of the mail it answers,
-- whose id only its reader knows; else the number in its subject, but only from the
-- ticket's own address. Null: none. in_order: of the mail that it answers. Internal.
create or replace function subpay.inbox_ticket(
    in_mail jsonb, out ticket bigint, out order_id uuid)
language plpgsql stable
as $$
declare
    said text[];
    letter record;
    answered text;
begin
    for answered in select a from jsonb_array_elements_text(in_mail -> 'answers')
                      with ordinality k(a, n) order by n desc
    loop
        said := regexp_match(answered, '^outbox-([0-9]{1,18})\.([0-9a-f-]{36})@');
        select m.ticket_id, m.order_id into letter from subpay.outbox m
         where m.id = said[1]::bigint and m.message_id = said[2];
        if found then
            ticket := coalesce(ticket, letter.ticket_id);
            order_id := coalesce(order_id, letter.order_id);
        end if;
        ticket := coalesce(ticket, (select m.ticket_id from subpay.ticket_messages m
                                     where m.message_id = answered));
        exit when ticket is not null;
    end loop;
    if ticket is null then
        select t.id into ticket from subpay.tickets t
         where t.reference = (regexp_match(in_mail ->> 'subject', '\[(T-[0-9]+)\]'))[1]
           and subpay.email_fold(t.email) = subpay.email_fold(in_mail ->> 'from');
    end if;
end
$$;
