-- subpay.alert_take: somebody pressed "I have it": no more messages about this alert, and
-- checkout does not pause because of it. Pressed again, it stays with the first.
--
-- Answers {verdict: taken | again | closed | none, by, text}.
create or replace function subpay.alert_take(in_key text, in_actor text) returns jsonb
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
declare
    a subpay.alerts;
begin
    select * into a from alerts k
     where k.key = in_key
     order by k.closed_at is null desc, k.id desc limit 1
       for update;
    if not found then
        return '{"verdict": "none"}';
    elsif a.closed_at is not null then
        return jsonb_build_object('verdict', 'closed', 'text', a.text);
    elsif a.taken_at is not null then
        return jsonb_build_object('verdict', 'again', 'by', a.taken_by, 'text', a.text);
    end if;
    -- A test is over when it has reached somebody.
    update alerts
       set taken_by = in_actor, taken_at = now(),
           closed_at = case when a.key = 'test' then now() end
     where id = a.id;
    perform audit_add(in_actor, 'support.alert_take', null, null, a.text, null,
                      jsonb_build_object('key', a.key, 'alert', a.id));
    return jsonb_build_object('verdict', 'taken', 'by', in_actor, 'text', a.text);
end
$$;
