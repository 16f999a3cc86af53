-- subpay.mail_seldom: queue a mail that strangers can cause, at most once an hour for
-- each address. in_about (an order's id) counts apart; null: all of this kind together.
-- Internal.
create or replace function subpay.mail_seldom(
    in_template text, in_about text, in_to text, in_order uuid, in_ticket bigint,
    in_payload jsonb)
returns boolean
language plpgsql
as $$
declare
    key constant text := concat_ws(':', in_template, in_about, email_fold(in_to));
    before bigint;
begin
    -- The number of the hour alone would let two pass within a minute, at its turn.
    perform pg_advisory_xact_lock(hashtext(key));
    select count(*) filter (where m.created_at > now() - interval '1 hour')
      into before
      from outbox m
     where m.dedupe_key in (
         select key || ':' || (extract(epoch from now())::bigint / 3600 - n)
           from generate_series(0, 1) n);
    if before > 0 then
        return false;
    end if;
    insert into outbox (kind, template, dedupe_key, order_id, ticket_id, recipient, payload)
    values ('mail', in_template,
            key || ':' || (extract(epoch from now())::bigint / 3600),
            in_order, in_ticket, in_to, in_payload)
        on conflict (dedupe_key) do nothing;
    perform outbox_wake();
    return true;
end
$$;
