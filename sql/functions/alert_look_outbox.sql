-- subpay.alert_look_outbox: does what we have to say still leave? Stuck: due for five
-- minutes and never tried (nobody drains it); or tried in vain, for three people and a
-- quarter of an hour or for anybody and half an hour, while no other mail left either. One
-- mailbox that is full for a day is not a stuck outbox. Internal.
--
-- What has left is looked at only when somebody waits: that is thousands of rows in a shop
-- that has sold for a year, and this runs every few seconds.
create or replace function subpay.alert_look_outbox() returns void
language plpgsql
set search_path = subpay, pg_temp
as $$
declare
    said record;
begin
    select count(*) as rows, min(m.created_at) as oldest,
           bool_or(m.attempts = 0 and m.next_try_at < now() - interval '5 min') as untried,
           count(distinct m.recipient)
               filter (where m.created_at < now() - interval '15 min') as people,
           (array_agg(m.last_error order by m.id desc)
               filter (where m.last_error is not null))[1] as error
      into said
      from outbox m
     where m.state in ('pending', 'sending') and m.kind in ('mail', 'refund')
       and (m.attempts > 0 or m.next_try_at < now());
    perform alert_set('outbox', case
        when coalesce(said.untried, false)
          or (coalesce(said.people >= 3 or said.oldest < now() - interval '30 min', false)
              and not exists (select from outbox m
                               where m.kind = 'mail'
                                 and m.sent_at > now() - interval '15 min'
                                 and m.id > (select max(id) - 10000 from outbox)))
        then format('OUTBOX STUCK: %s, the oldest waits %s min',
                    case said.rows when 1 then '1 message' else said.rows || ' messages' end,
                    extract(epoch from now() - said.oldest)::bigint / 60) end,
        jsonb_build_object('rows', said.rows, 'tried', coalesce(
            'again and again, latest answer: ' || said.error, 'not at all: no worker drains it')));
end
$$;
