-- subpay.search_add: somebody asks for a payment. Answers nothing: whoever asks must not
-- learn whether it is known. The worker is woken and looks at once.
--
-- in_form_key    of the form: sent twice, it is looked for once
-- in_lang        the language they read
-- in_token_hash  of the order that this browser made, which is looked at as well
drop function if exists subpay.search_add(uuid, text, text, bigint, text, date, text, bytea);
create or replace function subpay.search_add(
    in_form_key uuid, in_email text, in_reference text, in_amount bigint,
    in_currency text, in_day date, in_last4 text, in_token_hash bytea,
    in_lang text default null)
returns void
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    insert into searches (form_key, email, reference, amount, currency, day, last4,
                          token_hash, lang)
    values (in_form_key, in_email, in_reference, in_amount, in_currency, in_day, in_last4,
            in_token_hash, in_lang)
        on conflict (form_key) do nothing;
    perform pg_notify('subpay_searches', '');
end
$$;
