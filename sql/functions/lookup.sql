-- subpay.lookup: find orders by whatever a customer can give. Newest first, at most 50.
--
-- in_q     an e-mail address, a reference, any of the provider's ids (payment, charge,
--          payment page, customer), or the number of a ticket
-- in_more  what else is known, as JSON: "orders" and "payments" (ids) and "references",
--          lists; or "amount", "currency", "day" and "last4" of a charge
-- diagnosis  one word for what is the matter (diagnose); the rest is the order
drop function if exists subpay.lookup(text);
create or replace function subpay.lookup(in_q text, in_more jsonb default '{}')
returns table (
    diagnosis text, id uuid, reference text, provider text, mode text, email text,
    name text, product text, title text, amount bigint, currency text, period_text text,
    credits bigint, renews boolean, state text, checkout_id text, checkout_url text,
    checkout_expires_at bigint, payment_id text, statement text, review_reason text,
    completed_via text, processing boolean, failure text, created_at bigint,
    paid_at bigint, completed_at bigint, starts_at bigint, expires_at bigint,
    bonus_days int, access text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
declare
    q constant text := btrim(in_q);
    found_ids uuid[];
    given_orders constant uuid[] := array(
        select jsonb_array_elements_text(in_more -> 'orders')::uuid);
    given_payments constant text[] := array(
        select jsonb_array_elements_text(in_more -> 'payments'));
    given_references constant text[] := array(
        select jsonb_array_elements_text(in_more -> 'references'));
    day constant timestamptz := (in_more ->> 'day')::date::timestamp at time zone 'UTC';
begin
    -- One index for each kind of question, and none of the others is looked at.
    if position('@' in q) > 0 then
        found_ids := array(
            select o.id from orders o where email_fold(o.email) = email_fold(q)
            union
            -- bought under another address that was corrected since
            select s.order_id from accounts a join subscriptions s on s.account_id = a.id
             where a.email = email_fold(q)
            union
            select p.order_id from payments p where email_fold(p.email) = email_fold(q)
            union
            select t.order_id from tickets t where email_fold(t.email) = email_fold(q)
            limit 200);
    elsif q ~* '^t-?[0-9]{4,18}$' then
        found_ids := array(select t.order_id from tickets t
                            where t.id = regexp_replace(q, '[^0-9]', '', 'g')::bigint);
    elsif q ~ '_' then
        found_ids := array(
            select o.id from orders o where o.checkout_id = q
            union
            select p.order_id from payments p where p.payment_id = q
            union
            select p.order_id from payments p where p.charge_id = q
            union
            select p.order_id from payments p where p.customer_id = q
            limit 200);
    elsif q <> '' then
        found_ids := array(select o.id from orders o where o.reference = upper(q));
    end if;
    if in_more ? 'last4' then
        found_ids := found_ids || array(
            select p.order_id from payments p
             where p.card_last4 = in_more ->> 'last4'
               and p.amount = (in_more ->> 'amount')::bigint
               and p.currency = in_more ->> 'currency'
               -- one day to each side: banks and customers have other midnights
               and p.paid_at >= day - interval '1 day' and p.paid_at < day + interval '2 days'
             limit 200);
    end if;
    if in_more ? 'references' then
        found_ids := found_ids || array(
            select o.id from orders o where o.reference = any (given_references));
    end if;
    if in_more ? 'payments' then
        found_ids := found_ids || array(
            select p.order_id from payments p where p.payment_id = any (given_payments));
    end if;
    return query
        select diagnose(r.id), r.*
          from order_now r
         where r.id = any (found_ids || given_orders)
         order by r.created_at desc
         limit 50;
end
$$;
