-- subpay.order_follow: access and credits follow the money of an order, as its payment
-- and its disputes stand now. The order's row is locked. Answers the order as it is then.
--
-- gone    never taken, or refunded in full (or in part, where the owner wants that to end it): access
--         ends, credits are taken back as far as they are still there: the balance is
--         never negative, and what was spent is not chased
-- lost    in a dispute: access and credits are withheld; while one is open they stay,
--         unless the owner says otherwise
-- else    the money is ours: what was taken for a refund that failed, or for a dispute
--         that was won after all, comes back
--
-- Looks at what holds, never at what changed: so the same facts end alike in any order.
--
-- in_cause  what the audit calls a change of access alone, such as "dispute.lost"
-- in_gone   true: count it as gone, whatever the rows say
-- Internal.
create or replace function subpay.order_follow(
    in_order subpay.orders, in_payment subpay.payments, in_actor text,
    in_cause text default null, in_gone boolean default false)
returns subpay.orders
language plpgsql
as $$
declare
    o subpay.orders := in_order;
    rules subpay.settings;
    d record;
    gone boolean;
    fits text;
    account uuid;
    was text;
begin
    select * into rules from settings;
    gone := in_gone or in_payment.state = 'released'
            or in_payment.amount > 0
                       and (in_payment.amount_refunded = in_payment.amount
                            or rules.refund_ends = 'any' and in_payment.amount_refunded > 0);
    if in_order.completed_at is null then
        -- It never gave access: gone, it gives none; back again, it is as it was. Unless
        -- it was paid once more: that money is still a person's to decide about.
        return case when gone and payment_beside(in_payment) is null
                    then order_close_refunded(in_order, in_payment, in_actor)
                    else in_order end;
    elsif in_order.payment_id <> in_payment.payment_id then
        return in_order;
    end if;

    select coalesce(bool_or(e.status = 'lost'), false) as lost,
           coalesce(bool_or(e.status in ('open', 'under_review')), false) as open
      into d
      from disputes e
     where e.provider = in_payment.provider and e.payment_id = in_payment.payment_id;
    fits := case when gone then 'refunded'
                 when d.lost or d.open and rules.dispute_access = 'suspend'
                     then 'suspended'
                 else 'active' end;
    select s.status, s.account_id into was, account
      from subscriptions s
     where s.order_id = o.id and s.status in ('active', 'refunded', 'suspended')
       for update;
    if was <> fits then
        update subscriptions
           set status = fits,
               ended_at = case when fits = 'refunded' then coalesce(ended_at, now()) end
         where order_id = o.id;
        if was = 'active' then
            perform order_credits_take(o, account);
        elsif fits = 'active' then
            perform order_credits_return(o, account);
        end if;
        if d.lost then
            perform renewal_let_go(o.id);
        end if;
    end if;
    if (o.state = 'refunded') <> gone then
        o := case when gone then order_close_refunded(o, in_payment, in_actor)
                  else order_restore(o, in_payment, in_actor) end;
    elsif was <> fits and in_cause is not null then
        perform audit_add(in_actor, in_cause, o.id, account,
                          'payment ' || in_payment.payment_id,
                          jsonb_build_object('access', was),
                          jsonb_build_object('access', fits));
    end if;
    if was <> fits then
        perform renewal_reckon(o.id);
    end if;
    return o;
end
$$;
