-- subpay.outbox_claim: take up to in_limit rows that are due, for in_lease_s seconds.
--
-- A row is due when its time has come, also when another worker took it and let the
-- lease run out: a crash delays a mail, it loses none. The new lease is the fence: a
-- worker that was asleep past its lease can no longer report on the row. An attempt
-- counts from here, so that a row which kills its worker is not tried for ever at once.
create or replace function subpay.outbox_claim(
    in_worker uuid, in_limit int, in_lease_s int)
returns table (
    id bigint, kind text, template text, order_id uuid, ticket_id bigint, recipient text,
    payload jsonb, attempts int, message_id text, lease uuid)
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
#variable_conflict use_column
begin
    perform mails_withdraw();
    return query
        with due as (
            select o.id
              from outbox o
             where o.state in ('pending', 'sending') and o.next_try_at <= now()
             order by o.next_try_at
             limit in_limit
               for update skip locked)
        update outbox o
           set state = 'sending', attempts = o.attempts + 1, lease = gen_random_uuid(),
               leased_by = in_worker, leased_until = now() + in_lease_s * interval '1 s',
               next_try_at = now() + in_lease_s * interval '1 s'
          from due
         where o.id = due.id
        returning o.id, o.kind, o.template, o.order_id, o.ticket_id, o.recipient,
                  case when o.kind = 'mail' then mail_lang(o) || o.payload
                       else o.payload end, o.attempts, o.message_id, o.lease;
end
$$;
