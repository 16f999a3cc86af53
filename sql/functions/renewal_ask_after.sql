-- subpay.renewal_ask_after: when to ask the provider about this renewal next; null when
-- there is nothing left to ask.
--
-- While the paid time runs: once it is up, when the next invoice will be about an hour
-- away. From then on at a falling rate, without end, until it is paid or ended. What is
-- still to be done there is tried again soon, then ever less often. Internal.
create or replace function subpay.renewal_ask_after(
    in_renewal subpay.renewals, in_until timestamptz)
returns timestamptz
language sql stable
as $$
    select case
        when in_renewal.wanted is not null then
            now() + least(interval '10 s' * 2 ^ least(in_renewal.asks, 9), interval '1 hour')
        when in_renewal.state = 'ended' then null
        when now() < in_until then in_until
        when now() < in_until + interval '1 day' then now() + interval '1 hour'
        else now() + interval '1 day'
    end
$$;
