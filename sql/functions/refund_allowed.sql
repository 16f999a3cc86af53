-- subpay.refund_allowed: does no dispute forbid a person to refund this payment?
create or replace function subpay.refund_allowed(in_provider text, in_payment text)
returns boolean
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return refund_blocked(in_provider, in_payment, true) is distinct from 'disputed';
end
$$;
