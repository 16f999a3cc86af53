-- subpay.renewal_pay_url: where the latest unpaid period of the order with this token can
-- be paid; null when nothing is due.
create or replace function subpay.renewal_pay_url(in_token_hash bytea) returns text
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    return (
        select p.pay_url
          from orders o
          join periods p on p.order_id = o.id and p.state = 'failed'
         where o.token_hash = in_token_hash
           and not exists (select from periods q
                            where q.order_id = o.id and q.state = 'paid'
                              and q.ends_at >= p.ends_at)
         order by p.ends_at desc
         limit 1);
end
$$;
