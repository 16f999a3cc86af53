-- subpay.fact_email: whose order a fact is, where its row does not say; null if the
-- fact does not either.
--
-- What was typed at our own checkout first: at the provider another address may have
-- been used, of whoever holds the card. Internal.
create or replace function subpay.fact_email(in_fact subpay.fact) returns text
language sql immutable
as $$
select case when subpay.email_plausible(in_fact.order_email) then in_fact.order_email
            when subpay.email_plausible(in_fact.email) then in_fact.email end
$$;
