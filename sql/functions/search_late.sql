-- subpay.search_late: ten minutes without a clear answer of the provider. Whoever asked
-- hears so, once, and a person takes it over. Internal.
create or replace function subpay.search_late(in_search subpay.searches) returns void
language plpgsql
as $$
declare
    ticket bigint := in_search.ticket_id;
begin
    if ticket is null then
        ticket := ticket_open('search', 'search:' || in_search.id,
            'Somebody looks for a payment, and the provider does not answer', null,
            in_search.email,
            format('Asked %s times since %s. Look for it yourself: reference %s, amount'
                   ' %s %s, day %s, card ending in %s.',
                   in_search.attempts, in_search.created_at,
                   coalesce(in_search.reference, '-'),
                   coalesce(in_search.amount::text, '-'), in_search.currency,
                   coalesce(in_search.day::text, '-'), coalesce(in_search.last4, '-')));
    end if;
    update tickets t set lang = in_search.lang
     where t.id = ticket and t.lang is null and in_search.lang is not null;
    if in_search.email is not null then
        perform ticket_checking(ticket, null, in_search.email, in_search.attempts,
                                in_search.created_at);
    end if;
end
$$;
