-- subpay.email_move: an order belongs to another address. Its row is locked.
--
-- Access and what is left of its credits move to the account of the new address, which is
-- made if need be. They never move together with a password: whoever reads the wrong
-- address may have chosen one already. Both addresses are told.
--
-- in_key     makes the two mails one for each correction
-- before     the old address and account; null: it is the same address
-- Internal.
create or replace function subpay.email_move(
    in_order subpay.orders, in_email text, in_new_masked text, in_key text,
    out before jsonb, out account uuid)
language plpgsql
as $$
declare
    old_account subpay.accounts;
    old_email text;
    left_over bigint;
begin
    select a.* into old_account
      from accounts a join subscriptions s on s.account_id = a.id
     where s.order_id = in_order.id;
    old_email := coalesce(in_order.email, old_account.email);
    if email_fold(in_email) = coalesce(old_account.email, email_fold(in_order.email)) then
        return;
    end if;
    before := jsonb_build_object('email', old_email, 'account_id', old_account.id);

    if old_account.id is not null then
        insert into accounts (email, name)
        values (email_fold(in_email), coalesce(in_order.name, old_account.name))
            on conflict (email) do update set email = excluded.email
        returning id into account;
        -- Both rows, in one order, so that two corrections crosswise cannot deadlock.
        perform from accounts a where a.id in (old_account.id, account)
          order by a.id for update;

        update subscriptions s set account_id = account where s.order_id = in_order.id;
        left_over := least((select a.credits from accounts a where a.id = old_account.id),
                           (select coalesce(sum(c.amount), 0) from credit_transactions c
                             where c.order_id = in_order.id
                               and c.account_id = old_account.id));
        if left_over > 0 then
            insert into credit_transactions (account_id, amount, order_id, reason)
            values (old_account.id, -left_over, in_order.id, 'email_corrected_from' || in_key),
                   (account, left_over, in_order.id, 'email_corrected_to' || in_key);
        end if;
    end if;
    update orders t set email = in_email, email_corrected_at = now(), updated_at = now()
     where t.id = in_order.id;

    -- A receipt that has not left yet goes to the right address.
    update outbox m set recipient = in_email
     where m.order_id = in_order.id and m.kind = 'mail' and m.state = 'pending';
    insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
    select 'mail', 'email_changed', 'email_changed:old:' || in_order.id || in_key,
           in_order.id, old_email,
           jsonb_build_object('to_old', true, 'new_email_masked', in_new_masked)
     where old_email is not null
    union all
    select 'mail', 'email_changed', 'email_changed:new:' || in_order.id || in_key,
           in_order.id, in_email, jsonb_build_object('account_id', account)
     where account is not null;
    perform outbox_wake();
end
$$;
