-- 0012_notify: the application hears by itself what becomes of access.

-- Since when it wants to; null: nobody listens, and no row is queued for it.
alter table subpay.settings add column notify_since timestamptz;

-- Time that is up is no event of its own, so a worker looks for it. The end that it has
-- seen stands here: one that moves is a new one.
alter table subpay.subscriptions add column end_seen timestamptz;

create index subscriptions_end on subpay.subscriptions (expires_at)
    where status = 'active' and end_seen is distinct from expires_at;

-- Every road that grants, extends or ends access passes here, in its own transaction.
create function subpay.subscriptions_notify() returns trigger
language plpgsql
as $$
begin
    if (select s.notify_since from subpay.settings s) is not null then
        perform subpay.notify_change(old, new);
    end if;
    return null;
end
$$;

create trigger notify_insert after insert on subpay.subscriptions
    for each row execute function subpay.subscriptions_notify();
create trigger notify_update after update on subpay.subscriptions
    for each row when ((new.account_id, new.status, new.expires_at)
                       is distinct from (old.account_id, old.status, old.expires_at))
    execute function subpay.subscriptions_notify();
