-- subpay.lookup: find orders by whatever a customer can give: an e-mail address, a
-- reference, or the provider's id of the payment or the payment page. Newest first, at
-- most 50.
--
-- diagnosis  one word for what is the matter (diagnose); the rest is the order
create or replace function subpay.lookup(in_q text)
returns table (
    diagnosis text, id uuid, reference text, provider text, mode text, email text,
    name text, product text, title text, amount bigint, currency text, period_text text,
    credits bigint, renews boolean, state text, checkout_id text, checkout_url text,
    checkout_expires_at bigint, payment_id text, statement text, review_reason text,
    completed_via text, processing boolean, failure text, created_at bigint,
    paid_at bigint, completed_at bigint, starts_at bigint, expires_at bigint,
    bonus_days int)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
declare
    q constant text := btrim(in_q);
begin
    return query
        with hit as (
            select o.id from orders o
             where position('@' in q) > 0 and email_fold(o.email) = email_fold(q)
            union
            -- bought under another address that was corrected since
            select s.order_id from accounts a join subscriptions s on s.account_id = a.id
             where position('@' in q) > 0 and a.email = email_fold(q)
            union
            select o.id from orders o where o.reference = upper(q)
            union
            select o.id from orders o where o.checkout_id = q
            union
            select p.order_id from payments p where p.payment_id = q)
        select diagnose(r.id), r.*
          from hit
          join order_row r on r.id = hit.id
         order by r.created_at desc
         limit 50;
end
$$;
