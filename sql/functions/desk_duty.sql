-- subpay.desk_duty: the week changes hands: in_ask carries owner (who has it now; whoever
-- asks, when absent), text (what they should know) and seen (the number of the duty that
-- the page showed: two people who both take it do not undo each other).
create or replace function subpay.desk_duty(in_ask jsonb) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    person constant text := coalesce(nullif(in_ask ->> 'owner', ''), in_ask ->> 'actor');
    before subpay.duties;
    answer jsonb;
begin
    perform pg_advisory_xact_lock(hashtext('subpay'), hashtext('duty'));
    select a.answer || '{"again": true}' into answer
      from desk_actions a where a.form_key = (in_ask ->> 'form_key')::uuid;
    if found then
        return answer;
    end if;
    select * into before from duties d order by d.id desc limit 1;
    if in_ask ? 'seen' and coalesce(before.id, 0) > (in_ask ->> 'seen')::bigint then
        return jsonb_build_object('verdict', 'stale', 'by', before."by",
            'changed', jsonb_build_array(jsonb_build_object(
                'at', moment(before.since), 'who', before."by",
                'what', before.person || ' has the week')));
    end if;
    insert into duties (person, by, note)
    values (person, in_ask ->> 'actor', coalesce(in_ask ->> 'text', ''));
    return desk_end('duty', in_ask, null, jsonb_build_object('person', before.person),
                    jsonb_build_object('person', person),
                    jsonb_build_object('verdict', 'handed_over', 'person', person));
end
$$;
