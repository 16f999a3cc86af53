-- subpay.renewal_settle: whether the provider will charge again: its present state. The
-- order's row is locked.
--
-- The newer word wins by the provider's clock; in the same second, the one further
-- along. What we asked for ourselves is how it stands now, whatever the clocks say. An
-- ended one never comes back. Internal.
create or replace function subpay.renewal_settle(
    in_order subpay.orders, in_fact subpay.fact, in_actor text)
returns subpay.settled
language plpgsql
as $$
declare
    was subpay.renewals;
    r subpay.renewals;
    said constant timestamptz := to_timestamp(in_fact.at);
    newer boolean;
begin
    was := renewal_open(in_order, in_fact);
    newer := case
        when was.state = 'ended' then false
        when in_fact.event_id is null or in_fact.status = 'ended' then true
        else (said, status_rank(in_fact.status)) >= (was.said_at, status_rank(was.state))
    end;
    if not newer then
        return settle_answer('already', null, in_order);
    end if;
    update renewals n
       set state = in_fact.status,
           said_at = greatest(n.said_at, said),
           renews_at = coalesce(to_timestamp(in_fact.period_end), n.renews_at),
           wanted = case when in_fact.status = 'ended'
                              or n.wanted = 'stop' and in_fact.status <> 'active'
                              or n.wanted = 'resume' and in_fact.status = 'active'
                         then null else n.wanted end
     where n.provider = was.provider and n.renewal_id = was.renewal_id
    returning * into r;
    if r.wanted is null and r.extra then
        update renewals n set next_ask_at = null
         where n.provider = r.provider and n.renewal_id = r.renewal_id;
    end if;
    if in_order.state = 'refunded' then  -- taken up again while the money went back
        perform renewal_let_go(in_order.id);
    end if;
    if not r.extra then
        perform renewal_reckon(in_order.id);
        perform renewal_heard(in_order.id);
    end if;
    if r.state = was.state then
        return settle_answer('already', null, in_order);
    end if;
    perform audit_add(coalesce(case when was.wanted is not null then was.wanted_by end,
                               in_actor),
        'renewal.' || r.state, in_order.id, null, null,
        jsonb_build_object('state', was.state), jsonb_build_object('state', r.state));
    if was.wanted = 'stop' and was.wanted_by = 'customer' and r.state <> 'active' then
        insert into outbox (kind, template, dedupe_key, order_id, recipient)
        values ('mail', 'renewal_stopped',
                format('renewal_stopped:%s:%s', r.renewal_id, epoch_us(now())),
                in_order.id, in_order.email)
            on conflict (dedupe_key) do nothing;
        perform outbox_wake();
    end if;
    return settle_answer('updated', null, in_order);
end
$$;
