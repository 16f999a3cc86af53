-- subpay.poison_key: the one name under which a fact that cannot be settled is ticketed.
-- By order where the fact names one: the three events that one payment makes, and our own
-- questions about it, are one trouble and not five. Internal.
create or replace function subpay.poison_key(in_fact jsonb) returns text
language sql immutable
as $$
    select 'poison:' || coalesce(in_fact->>'order_id', in_fact->>'payment_id',
                                 in_fact->>'checkout_id', in_fact->>'event_id', 'unknown')
$$;
