-- subpay.dispute_mail: the one letter about a dispute, from a person: no threat, and the
-- way to get the money without a fight. Not about an inquiry: there a plain refund helps.
-- Internal.
create or replace function subpay.dispute_mail(
    in_order subpay.orders, in_payment subpay.payments, in_dispute subpay.disputes)
returns void
language plpgsql
as $$
declare
    rules subpay.settings;
begin
    if in_order.id is null or coalesce(in_order.email, in_payment.email) is null then
        return;
    end if;
    select * into rules from settings;
    insert into outbox (kind, template, dedupe_key, order_id, recipient, payload)
    values ('mail', 'dispute',
            'dispute_mail:' || in_dispute.provider || ':' || in_dispute.dispute_id,
            in_order.id, coalesce(in_order.email, in_payment.email),
            jsonb_strip_nulls(jsonb_build_object(
                'delayed', nullif(
                    coalesce(in_order.access_delay > rules.late_after, false), false),
                -- as the dispute has just left it (order_follow)
                'suspended', nullif(exists (
                    select from subscriptions s
                     where s.order_id = in_order.id and s.status = 'suspended'), false))))
        on conflict (dedupe_key) do nothing;
    perform outbox_wake();
end
$$;
