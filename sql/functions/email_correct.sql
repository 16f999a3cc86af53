-- subpay.email_correct: whoever paid typed the wrong address, and says the right one.
--
-- Once for each order, by the token of the browser that paid. The order's access and
-- what is left of its credits move to the account of the new address, which is made if
-- need be. They never move together with a password: whoever reads the wrong address
-- may have chosen one already. Both addresses are told.
--
-- in_new_masked  what the old address may see of the new one
-- verdict  'corrected', 'same', 'used' (corrected before) or 'no_order'
create or replace function subpay.email_correct(
    in_token_hash bytea, in_email text, in_new_masked text,
    out verdict text, out order_id uuid)
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    o orders;
    old_account accounts;
    new_account uuid;
    old_email text;
    left_over bigint;
begin
    select * into o from orders t
     where t.token_hash = in_token_hash and t.state = 'completed'
       for update;
    if not found then
        verdict := 'no_order';
        return;
    end if;
    order_id := o.id;
    if o.email_corrected_at is not null then
        verdict := 'used';
        return;
    end if;
    select a.* into old_account
      from accounts a join subscriptions s on s.account_id = a.id
     where s.order_id = o.id;
    if old_account.email = email_fold(in_email) then
        verdict := 'same';
        return;
    end if;
    old_email := coalesce(o.email, old_account.email);

    insert into accounts (email, name)
    values (email_fold(in_email), coalesce(o.name, old_account.name))
        on conflict (email) do update set email = excluded.email
    returning id into new_account;
    -- Both rows, in one order, so that two corrections crosswise cannot deadlock.
    perform from accounts a where a.id in (old_account.id, new_account)
      order by a.id for update;

    update subscriptions s set account_id = new_account where s.order_id = o.id;
    left_over := least((select a.credits from accounts a where a.id = old_account.id),
                       (select coalesce(sum(c.amount), 0) from credit_transactions c
                         where c.order_id = o.id and c.account_id = old_account.id));
    if left_over > 0 then
        insert into credit_transactions (account_id, amount, order_id, reason)
        values (old_account.id, -left_over, o.id, 'email_corrected_from'),
               (new_account, left_over, o.id, 'email_corrected_to');
    end if;
    update orders t set email = in_email, email_corrected_at = now(), updated_at = now()
     where t.id = o.id;

    -- A receipt that has not left yet goes to the right address.
    update outbox m set recipient = in_email
     where m.order_id = o.id and m.kind = 'mail' and m.state = 'pending';
    insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
    values ('mail', 'email_changed', 'email_changed:old:' || o.id, o.id, old_email,
            jsonb_build_object('to_old', true, 'new_email_masked', in_new_masked)),
           ('mail', 'email_changed', 'email_changed:new:' || o.id, o.id, in_email,
            jsonb_build_object('account_id', new_account));
    perform audit_add('customer', 'order.email_corrected', o.id, new_account,
                      'in the browser that paid',
                      jsonb_build_object('email', old_email, 'account_id', old_account.id),
                      jsonb_build_object('email', in_email, 'account_id', new_account));
    perform outbox_wake();
    verdict := 'corrected';
end
$$;
