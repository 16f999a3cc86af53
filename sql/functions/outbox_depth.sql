-- subpay.outbox_depth: how many messages wait to leave.
create or replace function subpay.outbox_depth() returns bigint
language sql stable security definer
set search_path = subpay, pg_temp
as $$
    select count(*) from outbox m where m.state in ('pending', 'sending')
$$;
