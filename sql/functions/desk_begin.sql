-- subpay.desk_begin: somebody presses a button about an order: find and lock it, and see
-- whether this may still be done. answer stays null: go on, and end with desk_end.
--
-- in_ask  reference, actor, reason; form_key (uuid of the form: sent again, it gets its
--         first answer); seen (desk_seen as the page was drawn: when somebody has done
--         the same since, this form is stale and the second is told who did it). A form
--         without "seen" is stale when the same was done within the last minute.
-- Internal.
create or replace function subpay.desk_begin(
    in_action text, in_ask jsonb, out o subpay.orders, out answer jsonb)
language plpgsql
as $$
declare
    other subpay.audit;
begin
    select * into o from orders r where r.reference = in_ask ->> 'reference' for update;
    if not found then
        answer := jsonb_build_object('verdict', 'no_order');
        return;
    end if;
    select a.answer || '{"again": true}' into answer
      from desk_actions a where a.form_key = (in_ask ->> 'form_key')::uuid;
    if found then
        return;
    end if;
    select * into other
      from audit a
     where a.order_id = o.id and a.action = 'support.' || in_action
       and case when in_ask ? 'seen' then a.id > (in_ask ->> 'seen')::bigint
                else a.at > now() - interval '1 minute' end
     order by a.id desc
     limit 1;
    if found then
        answer := jsonb_build_object('verdict', 'stale', 'by', other.actor,
                                     'at', moment(other.at),
                                     'changed', desk_changes(o.id, coalesce(
                                         (in_ask ->> 'seen')::bigint, other.id - 1)));
    end if;
end
$$;
