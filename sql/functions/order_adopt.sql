-- subpay.order_adopt: rebuild an order from a payment's metadata; returns it locked.
--
-- For the case that the database was restored from before the purchase. Same id, same
-- reference, same token, so that the customer's links and bank statement still lead
-- here. Never a second order: whoever comes second finds the first one's row. Money
-- must not wait for a name, so a reference or token that is taken or damaged is
-- replaced or left out. Support is told. Internal.
create or replace function subpay.order_adopt(in_fact subpay.fact, in_actor text)
returns subpay.orders
language plpgsql
as $$
declare
    o subpay.orders;
    new_reference text := in_fact.reference;
    token bytea := case when in_fact.token_hash ~ '^[0-9a-fA-F]{64}$'
                        then decode(in_fact.token_hash, 'hex') end;
    made boolean;
begin
    if (new_reference ~ '^SP-.{4}-.{4}$'
        and reference_check(substr(new_reference, 4, 4) || substr(new_reference, 9, 3))
            = right(new_reference, 1)) is not true then
        new_reference := reference_new();
    end if;
    loop
        insert into orders (id, reference, token_hash, provider, mode, email, name,
                            product, title, amount, currency, period, period_text,
                            credits, renews, site, checkout_id, statement)
        values (in_fact.order_id, new_reference, token, in_fact.provider, in_fact.mode,
                fact_email(in_fact),
                regexp_replace(in_fact.name, '[[:cntrl:]]', '', 'g'),
                in_fact.product, coalesce(in_fact.title, in_fact.product),
                in_fact.price, in_fact.price_currency,
                nullif(coalesce(in_fact.period_iso, in_fact.period), '')::interval,
                nullif(in_fact.period, ''), coalesce(in_fact.credits, 0),
                coalesce(in_fact.renews, in_fact.renewal_id is not null), in_fact.site, in_fact.checkout_id,
                in_fact.statement)
            on conflict do nothing;
        made := found;
        select * into o from orders where id = in_fact.order_id for update;
        exit when found;
        new_reference := reference_new();  -- another order has the name, not the id
        token := null;
    end loop;

    if made then
        perform audit_add(in_actor, 'order.adopted', o.id, null,
            'payment ' || in_fact.payment_id || ' had no order here');
        perform ticket_open('adopted', 'adopted:' || o.id,
            'An order was rebuilt from its payment', o.id, o.email,
            format('Payment %s named order %s, which was not in the database. The order'
                   ' was rebuilt from what the provider had kept. Find out why it was'
                   ' gone: other rows may be missing too.',
                   in_fact.payment_id, o.reference));
    end if;
    return o;
end
$$;
