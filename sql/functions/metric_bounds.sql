-- subpay.metric_bounds: upper ends of the buckets of "time from payment to access", in
-- seconds: the promises of the design (1, 5, 90 s) and round numbers. Internal.
create or replace function subpay.metric_bounds() returns numeric[]
language sql immutable
as $$ select '{1,3,5,10,30,60,90,120,300,600,3600,86400}'::numeric[] $$;
