-- subpay.dispute_asked: the provider has answered how this dispute stands; the next question
-- comes in an hour (disputes_due).
create or replace function subpay.dispute_asked(in_provider text, in_dispute_id text)
returns void
language sql volatile security definer
set search_path = subpay, pg_temp
as $$
    update subpay.disputes
       set asked_at = now()
     where provider = in_provider and dispute_id = in_dispute_id
$$;
