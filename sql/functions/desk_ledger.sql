-- subpay.desk_ledger: the newest entries of the credits ledger, of one account if an
-- address is given; and what was refunded and disputed lately.
create or replace function subpay.desk_ledger(in_email text) returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
declare
    account uuid;
begin
    select a.id into account from accounts a where a.email = email_fold(in_email);
    return jsonb_strip_nulls(jsonb_build_object(
        'account', in_email,
        'balance', (select a.credits from accounts a where a.id = account),
        'entries', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'id', c.id, 'email', a.email, 'amount', c.amount,
                       'reason', c.reason, 'balance', c.balance_after,
                       'at', moment(c.created_at), 'reference', o.reference)
                   order by c.id desc)
              from (select * from credit_transactions t
                     where in_email is null or t.account_id = account
                     order by t.id desc limit 100) c
              join accounts a on a.id = c.account_id
              left join orders o on o.id = c.order_id), '[]'),
        'refunds', coalesce((
            select jsonb_agg(jsonb_build_object(
                       'refund_id', r.refund_id, 'status', r.status,
                       'amount_text', money_text(r.amount, p.currency),
                       'at', moment(r.said_at), 'reference', o.reference)
                   order by r.created_at desc)
              from (select * from refunds k order by k.created_at desc limit 50) r
              join payments p on p.provider = r.provider and p.payment_id = r.payment_id
              left join orders o on o.id = p.order_id), '[]')));
end
$$;
