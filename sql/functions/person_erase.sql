-- subpay.person_erase: forget one person. Orders, payments, refunds, the ledger and what
-- was done stay, for the books, under a name that leads to nobody.
--
-- in_reason  why, for the audit; given, it also ends access that goes on and passes over
--            an open dispute. What else stands against it (person_holds) is to be settled
--            first
-- verdict    erased     done; pseudonym is what stands instead of the address
--            not_found  nothing is held about this address
--            waiting    what is about to leave goes first: ask again in a moment
--            renews, open, dispute, access  refused, see person_holds
--
-- All addresses and names go from the rows about the person; the address itself also from
-- everything else. The provider's own books, the mail server's and old backups are not
-- here. What the provider says later of such an order is taken in without its names
-- (settle_apply), and a mail to it goes nowhere (the trigger outbox_nobody).
create or replace function subpay.person_erase(
    in_email text, in_actor text, in_reason text,
    out verdict text, out pseudonym text, out orders int, out tickets int)
language plpgsql security definer
set search_path = subpay, pg_temp
set subpay.hand = 'erase'
as $$
declare
    folded constant text := email_fold(in_email);
    order_ids uuid[];
    ticket_ids bigint[];
    account_ids uuid[];
    words text[];
begin
    order_ids := person_orders(in_email);
    perform from orders o where o.id = any (order_ids) order by o.id for update;
    ticket_ids := person_tickets(in_email, order_ids);
    account_ids := person_accounts(in_email, order_ids);
    orders := cardinality(order_ids);
    tickets := cardinality(ticket_ids);
    if orders = 0 and tickets = 0 and cardinality(account_ids) = 0
       and person_export(in_email) is null then
        verdict := 'not_found';
        return;
    end if;
    verdict := person_holds(order_ids, ticket_ids, in_email, in_reason);
    if verdict <> 'waiting' then
        return;
    end if;
    -- Access ends before the name goes, so that the application hears whose it was.
    update subscriptions s set status = 'ended', ended_at = now()
     where s.order_id = any (order_ids) and s.status = 'active'
       and coalesce(s.expires_at, 'infinity') > now();
    verdict := person_holds(order_ids, ticket_ids, in_email, in_reason);
    if verdict is not null then
        return;
    end if;

    pseudonym := 'erased-' || left(gen_random_uuid()::text, 13) || '@erased.invalid';
    words := person_words(in_email, order_ids, account_ids);
    perform erase_rows(order_ids, ticket_ids, account_ids, words, folded, pseudonym);
    perform erase_everywhere(folded, pseudonym);
    insert into audit (actor, action, order_id, account_id, reason, after)
    select in_actor, 'support.erase', o.id, account_ids[1],
           erase_text(in_reason, words, pseudonym),
           jsonb_build_object('pseudonym', pseudonym)
      from (select unnest(case when orders > 0 then order_ids
                               else array[null::uuid] end)) o(id);
    verdict := 'erased';
end
$$;
