-- 0016_holds: money that the bank has reserved for us and that is not taken yet
-- (SubPayCapture after-access: access first, then the charge).
--
-- A payment is held, then taken or released. Its row is what completes the order, so
-- that a crash between access and charge leaves a reservation, which falls away by
-- itself, and never a charge without access. Who sums money looks at those taken.
alter table subpay.payments
    add column state text not null default 'taken'
        check (state in ('held', 'taken', 'released')),
    add column hold_until timestamptz;   -- the bank keeps it until then; null: not told

create index payments_held on subpay.payments (order_id) where state = 'held';

-- Taken may be less than held (somebody did it by hand at the provider): only then does
-- an amount change. What was taken stays so; what was released is not held again.
drop trigger history on subpay.payments;
create trigger history before update on subpay.payments
    for each row
    when (old.order_id is not null and new.order_id is distinct from old.order_id
          or (new.currency, new.mode) is distinct from (old.currency, old.mode)
          or new.amount is distinct from old.amount
             and not (old.state <> 'taken' and new.state = 'taken')
          or old.state = 'taken' and new.state <> 'taken'
          or old.state = 'released' and new.state = 'held')
    execute function subpay.payments_history();

alter type subpay.fact add attribute hold_until bigint;

alter table subpay.outbox drop constraint outbox_kind_check;
alter table subpay.outbox add constraint outbox_kind_check
    check (kind in ('mail', 'alert', 'heartbeat', 'refund', 'notify', 'capture'));
