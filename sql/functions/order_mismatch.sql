-- subpay.order_mismatch: what keeps this payment from completing this order on its own;
-- null for nothing. Amount and currency and price, not one of them: a hundred-fold
-- overcharge in a currency without decimals has the right digits. Internal.
create or replace function subpay.order_mismatch(
    in_order subpay.orders, in_fact subpay.fact)
returns text
language plpgsql immutable
as $$
begin
    return case
        when in_fact.mode <> in_order.mode then 'mode'
        when in_fact.currency <> in_order.currency then 'currency'
        when in_fact.amount <> in_order.amount then 'amount'
        when in_fact.price <> in_order.amount
          or in_fact.price_currency <> in_order.currency then 'price'
        when in_fact.product <> in_order.product then 'product'
        when in_order.email is null then 'email'
    end;
end
$$;
