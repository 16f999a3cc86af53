-- subpay.status_rank: which of two statuses said in the same second is further along.
-- Internal.
create or replace function subpay.status_rank(in_status text) returns int
language sql immutable
as $$
    select array_position(array['warning', 'open', 'pending', 'under_review',
        'succeeded', 'failed', 'cancelled', 'closed', 'won', 'lost',
        'active', 'stopping', 'ended'], in_status)
$$;
