-- subpay.renewals_due: renewals that the provider should be asked about now, or that
-- something is to be done about there, longest due first.
create or replace function subpay.renewals_due(in_limit int)
returns table (provider text, renewal_id text, order_id uuid, reference text, wanted text)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query
        select r.provider, r.renewal_id, r.order_id, o.reference, r.wanted
          from renewals r
          join orders o on o.id = r.order_id
         where r.next_ask_at <= now()
         order by r.next_ask_at
         limit in_limit;
end
$$;
