-- subpay.notify_change: what a change of a subscription means to the application; the
-- row before (null: it is new) and after. Internal.
create or replace function subpay.notify_change(
    in_old subpay.subscriptions, in_new subpay.subscriptions)
returns void
language plpgsql
as $$
declare
    moved constant boolean := in_old.account_id <> in_new.account_id;
begin
    if moved and in_old.status = 'active' then
        perform subpay.notify_queue('ended', in_old, clock_timestamp());
    end if;
    if in_new.status = 'refunded' and in_old.status <> 'refunded' then
        perform subpay.notify_queue('refunded', in_new, clock_timestamp());
    elsif in_new.status <> 'active' and in_old.status = 'active' then
        perform subpay.notify_queue('ended', in_new, clock_timestamp());
    elsif in_new.status <> 'active' then
        return;
    elsif in_old.id is null then
        -- Bought again while it runs: the new period begins where that ends.
        perform subpay.notify_queue(
            case when in_new.starts_at > now() then 'extended' else 'granted' end,
            in_new, clock_timestamp());
    elsif in_old.status <> 'active' or moved then
        perform subpay.notify_queue('granted', in_new, clock_timestamp());
    elsif coalesce(in_new.expires_at, 'infinity') > in_old.expires_at then
        perform subpay.notify_queue('extended', in_new, clock_timestamp());
    end if;
end
$$;
