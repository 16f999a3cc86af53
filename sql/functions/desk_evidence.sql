-- subpay.desk_evidence: all that a bank asks for about a disputed payment: what was bought,
-- when access opened, what we wrote, when the customer logged in and used it. Null: there is no
-- such order, or nobody ever disputed it.
--
-- log is the text that goes to the bank: facts only, nothing that people here noted.
create or replace function subpay.desk_evidence(in_reference text) returns jsonb
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
declare
    o subpay.orders;
    p subpay.payments;
    d subpay.disputes;
    s subpay.subscriptions;
begin
    select * into o from orders r where r.reference = upper(in_reference);
    -- Of several, the one that still waits for us.
    select e.* into d
      from payments c
      join disputes e on e.provider = c.provider and e.payment_id = c.payment_id
     where c.order_id = o.id
     order by e.status in ('warning', 'open') desc, e.created_at desc
     limit 1;
    if not found then
        return null;
    end if;
    select * into p from payments c
     where c.provider = d.provider and c.payment_id = d.payment_id;
    select * into s from subscriptions u where u.order_id = o.id;

    return jsonb_strip_nulls(jsonb_build_object(
        'dispute', jsonb_build_object(
            'dispute_id', d.dispute_id, 'provider', d.provider, 'status', d.status,
            'reason', replace(d.reason, '_', ' '),
            'amount_text', money_text(d.amount, p.currency),
            'opened_at', moment(d.created_at), 'due_by', moment(d.due_by),
            'inquiry', nullif(d.status = 'warning', false),
            'waits', nullif(d.status in ('warning', 'open'), false)),
        'customer_email', coalesce(o.email, p.email),
        'customer_name', coalesce(o.name, p.name),
        'product', concat_ws(', ', o.title, o.period_text,
            case when o.credits > 0 then o.credits || ' credits' end,
            'bought online, access by login at ' || o.site),
        'service_date', to_char(coalesce(s.starts_at, o.completed_at) at time zone 'UTC',
                                'YYYY-MM-DD'),
        'days', (
            select jsonb_agg(jsonb_build_object(
                       'day', y.day, 'logins', nullif(y.logins, 0),
                       'used_at', moment(y.used_at)) order by y.day)
              from account_days y
             where y.account_id = s.account_id
               and y.day >= coalesce(o.paid_at, o.created_at)::date),
        'log', evidence_log(o, p, s)));
end
$$;
