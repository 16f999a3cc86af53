-- subpay.order_adoptable: may this fact rebuild an order that we do not have?
-- Null for yes, otherwise why not (the words of settle_refuse).
--
-- Only money that moved, or is held for us, provably for this very site, with the whole
-- snapshot in its metadata. The account may sell other things too: those are never
-- adopted. Internal.
create or replace function subpay.order_adoptable(
    in_fact subpay.fact, in_rules subpay.settings)
returns text
language plpgsql immutable
as $$
begin
    if in_fact.ours is not true or in_fact.site <> in_rules.site then
        return 'not_ours';
    elsif in_fact.kind not in ('payment.succeeded', 'payment.authorised', 'period.paid') then
        return 'order_unknown';
    elsif in_rules.mode is null then
        raise exception 'cannot adopt before the settings are stored';
    elsif in_fact.order_id is null or in_fact.payment_id is null
          or in_fact.product is null or in_fact.price is null
          or in_fact.price_currency is null then
        return 'unmatched';
    end if;
    return null;
end
$$;
