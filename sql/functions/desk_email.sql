-- subpay.desk_email: a person puts an order's address right. in_ask also carries email
-- and masked. Where access is not open yet, the caller asks the provider afterwards.
create or replace function subpay.desk_email(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    b record;
    moved record;
begin
    b := desk_begin('email', in_ask);
    if b.answer is not null then
        return b.answer;
    end if;
    moved := email_move(b.o, in_ask ->> 'email', in_ask ->> 'masked',
                        ':' || coalesce(in_ask ->> 'form_key', gen_random_uuid()::text));
    if moved.before is null then
        return '{"verdict": "same"}';
    end if;
    perform desk_solve((b.o).id, 'dead_mail', in_ask ->> 'actor',
                       'The address was corrected.');
    return desk_end('email', in_ask, (b.o).id, moved.before,
                    jsonb_build_object('email', in_ask ->> 'email',
                                       'account_id', moved.account),
                    jsonb_build_object('verdict', 'corrected', 'state', (b.o).state));
end
$$;
