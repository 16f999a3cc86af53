-- subpay.outbox_wake: tell the workers that this transaction has queued something.
--
-- PostgreSQL lets only one transaction with a NOTIFY commit at a time, which would make
-- all webhooks of a busy moment wait for each other's disk flush (measured with 16
-- sessions: half the throughput). So of several at once only one notifies, and the
-- others hold a shared lock until they have committed: while outbox_next() sees that
-- lock, it sends the worker back for another look, so nobody's row is overlooked.
-- (Should the one that notifies roll back, the worker's own look every few seconds
-- finds the row.) Internal.
create or replace function subpay.outbox_wake() returns void
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock_shared(hashtext('subpay'), 3);
    if pg_try_advisory_xact_lock(hashtext('subpay'), 2) then
        perform pg_notify('subpay_outbox', '');
    end if;
end
$$;
