-- 0011_search_leases: who works on a search, so that it need not wait for the lease of a
-- worker that is known to be dead.
alter table subpay.searches add column leased_by uuid;
