-- subpay.duty_now: who has the week: {person, since, note, over}; over: for a week or
-- longer, so that it is time to hand over. Null: nobody has taken it yet. Internal.
create or replace function subpay.duty_now() returns jsonb
language plpgsql stable
as $$
begin
    return (
        select jsonb_strip_nulls(jsonb_build_object(
                   'person', d.person, 'since', subpay.moment(d.since),
                   'note', nullif(d.note, ''),
                   'over', nullif(d.since < now() - interval '7 days', false)))
          from subpay.duties d order by d.id desc limit 1);
end
$$;
