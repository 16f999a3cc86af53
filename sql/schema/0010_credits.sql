-- 0010_credits: the ledger as the application uses it.

-- One request, one entry, whoever sends it again and for whatever account: a key that
-- was meant for one customer must not move the credits of another.
create unique index credit_transactions_key on subpay.credit_transactions (idempotency_key)
    where idempotency_key is not null;
alter table subpay.credit_transactions
    drop constraint credit_transactions_account_id_idempotency_key_key,
    add column actor text; -- who asked for it; null: it follows from the order

create index credit_transactions_account on subpay.credit_transactions (account_id, id);
