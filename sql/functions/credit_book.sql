-- subpay.credit_book: one entry of the ledger that the application asks for, once for
-- each key. Internal.
--
-- The account's row is locked first, as everywhere; all that books for this account
-- queues up there. Then the key, for the same key may come at the same moment for
-- another account: nobody who holds a key waits for an account, so nobody waits for ever.
-- A refusal leaves no row, and so takes no key: the same request may succeed later.
create or replace function subpay.credit_book(
    in_account text, in_amount bigint, in_reason text, in_key text, in_actor text,
    out verdict text, out balance bigint, out entry bigint)
language plpgsql
as $$
declare
    -- What JSON numbers carry exactly.
    most constant bigint := 9007199254740991;
    account uuid;
    known subpay.credit_transactions;
begin
    select a.id, a.credits into account, balance
      from accounts a
     where a.email = email_fold(in_account)
       for no key update;
    if not found then
        verdict := 'no_account';
        return;
    end if;

    perform pg_advisory_xact_lock(hashtextextended(in_key, 4));
    select * into known from credit_transactions t where t.idempotency_key = in_key;
    if found then
        verdict := case when (known.account_id, known.amount, known.reason)
                             = (account, in_amount, in_reason)
                        then 'again' else 'key_used' end;
        balance := known.balance_after;
        entry := known.id;
    elsif balance + in_amount < 0 then
        verdict := 'insufficient';
    elsif balance + in_amount > most then
        verdict := 'too_much';
    else
        insert into credit_transactions (account_id, amount, reason, idempotency_key, actor)
        values (account, in_amount, in_reason, in_key, in_actor)
        returning id, balance_after into entry, balance;
        verdict := 'booked';
    end if;
end
$$;
