-- subpay.order_place: write down the intent to sell, before the provider is called.
--
-- in_order         uuid made by the caller: it travels to the provider
-- in_form_key      uuid minted when the form was drawn, or null: a double click or a
--                  resent form meets the first order instead of starting a second
-- in_token_hash    SHA-256 of the token in the customer's links
-- in_amount        minor units, fixed here with the rest of the product's snapshot
-- in_checkout_for  how long the payment page will stay open
-- in_lang          the language that the customer reads; every mail is in it
-- verdict          placed  a new order
--                  again   the one that this form or id made before; its token too
--                  paused  support has switched checkout off; no order, id is null
-- The rest is the order (view order_now).
drop function if exists subpay.order_place(uuid, uuid, bytea, text, text, text, text, text,
    text, bigint, text, interval, text, bigint, boolean, text, interval);
create or replace function subpay.order_place(
    in_order uuid, in_form_key uuid, in_token_hash bytea, in_provider text, in_mode text,
    in_email text, in_name text, in_product text, in_title text, in_amount bigint,
    in_currency text, in_period interval, in_period_text text, in_credits bigint,
    in_renews boolean, in_site text, in_checkout_for interval, in_lang text default null)
returns table (
    verdict text, id uuid, reference text, provider text, mode text, email text,
    name text, product text, title text, amount bigint, currency text, period_text text,
    credits bigint, renews boolean, state text, checkout_id text, checkout_url text,
    checkout_expires_at bigint, payment_id text, statement text, review_reason text,
    completed_via text, processing boolean, failure text, created_at bigint,
    paid_at bigint, completed_at bigint, starts_at bigint, expires_at bigint,
    bonus_days int, access text)
language plpgsql security definer
set search_path = subpay, pg_temp
set random_page_cost = 0  -- by index (README)
as $$
#variable_conflict use_column
declare
    found_id uuid;
begin
    loop
        -- Also the answer to a caller who does not know whether the first call worked.
        select f.id into found_id
          from (select o.id from orders o where o.id = in_order
                union all  -- and not "or", which no single index answers
                select o.id from orders o where o.form_key = in_form_key) f
         order by f.id = in_order desc
         limit 1;
        if found then
            return query select 'again'::text, r.* from order_now r where r.id = found_id;
            return;
        end if;
        if exists (select from switches s where s.name = 'checkout_paused' and s."on") then
            return query select 'paused'::text, r.*
                           from (select) nothing left join order_now r on false;
            return;
        end if;

        -- A conflict here is a twin of this call, or a reference that is taken already:
        -- look again, with another reference.
        insert into orders (id, reference, form_key, token_hash, provider, mode, email,
                            name, product, title, amount, currency, period, period_text,
                            credits, renews, site, lang, checkout_expires_at,
                            next_ask_at)
        values (in_order, reference_new(), in_form_key, in_token_hash, in_provider,
                in_mode, in_email, in_name, in_product, in_title, in_amount, in_currency,
                in_period, in_period_text, in_credits, in_renews, in_site, in_lang,
                now() + in_checkout_for, now() + interval '1 min')
            on conflict do nothing;
        if found then
            return query select 'placed'::text, r.* from order_now r where r.id = in_order;
            return;
        end if;
        if exists (select from orders o where o.token_hash = in_token_hash
                                          and o.id <> in_order) then
            raise exception 'order_place: the token belongs to another order';
        end if;
    end loop;
end
$$;
