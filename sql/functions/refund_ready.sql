-- subpay.refund_ready: may the worker make this refund now? Asked right before the provider
-- is: since the decision a dispute may have come, and the money with it.
--
-- ok        go on; written down with the row, for its next try: from now on the provider may
--           have made it. That somebody claimed the row says nothing of that
-- disputed  it would go out twice
-- moot      decided by the machine, and no longer right: access came after all, or the
--           payment that was to stay goes back itself. Written down; nothing is made.
create or replace function subpay.refund_ready(in_id bigint) returns text
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    m subpay.outbox;
    o subpay.orders;
    kept subpay.orders;
    why text;
    moot text;
begin
    select * into m from outbox b where b.id = in_id;
    why := m.payload ->> 'why';
    -- An order first, then its payment: as on every road.
    select * into o from orders r where r.id = m.order_id for update;
    if refund_blocked(m.payload ->> 'provider', m.payload ->> 'payment_id', why is null)
       = 'disputed' then
        return 'disputed';
    elsif m.payload ? 'asked' then
        return 'ok';  -- it may have been made: only repeating it tells
    end if;
    if why in ('unasked', 'let_go') and o.state = 'completed'
       and o.payment_id = m.payload ->> 'payment_id' then
        moot := 'access came after all';
    elsif why = 'duplicate' then
        select r.* into kept from orders r
          join payments p on p.provider = r.provider and p.payment_id = r.payment_id
         where r.id = (m.payload ->> 'kept')::uuid and r.state = 'completed'
           and p.amount_refunded = 0
           and refund_blocked(p.provider, p.payment_id) is null;
        moot := case when not found then 'the payment that was to stay goes back' end;
    end if;
    if moot is null then
        update outbox set payload = payload || '{"asked": true}' where id = in_id;
        return 'ok';
    end if;
    perform refund_withdraw(o, m, moot);
    return 'moot';
end
$$;
