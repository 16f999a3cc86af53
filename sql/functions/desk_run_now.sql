-- subpay.desk_run_now: somebody wants the provider looked at now, not at the next turn.
create or replace function subpay.desk_run_now(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    perform pg_notify('subpay_run', '');
    return desk_end('run_now', in_ask - 'form_key', null, null, null,
                    '{"verdict": "started"}');
end
$$;
