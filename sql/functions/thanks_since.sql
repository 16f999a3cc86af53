-- subpay.thanks_since: what customers wrote that two people like to read: the last message
-- of each ticket that was closed as a thank-you since then, newest first. Null: none.
-- Internal.
create or replace function subpay.thanks_since(in_at timestamptz) returns jsonb
language plpgsql stable
as $$
begin
    return (
        select jsonb_agg(m.said order by m.at desc)
          from (select t.thanked_at as at,
                       (select left(regexp_replace(trim(k.body), '\s+', ' ', 'g'), 300)
                          from subpay.ticket_messages k
                         where k.ticket_id = t.id and k.direction = 'in'
                         order by k.id desc limit 1) as said
                  from subpay.tickets t
                 where t.thanked_at > in_at
                 order by t.thanked_at desc
                 limit 20) m
         where m.said is not null);
end
$$;
