-- subpay.ticket_checking: tell a customer that we are still checking, who takes it over
-- and by when they hear (E6). The ticket is due then. Internal.
create or replace function subpay.ticket_checking(
    in_ticket bigint, in_order uuid, in_to text, in_asked int, in_since timestamptz)
returns void
language plpgsql
as $$
declare
    turn record;
begin
    select * into turn from support_turn(now());
    update tickets
       set due_at = turn.answers_at, updated_at = now()
     where id = in_ticket and state <> 'solved';
    perform mail_seldom('checking', in_order::text, in_to, in_order, in_ticket,
        jsonb_build_object(
        'money', jsonb_build_object('checking', true),
        'asked_times', in_asked, 'asked_since', moment(in_since),
        'takeover_at', moment(turn.takes_at), 'answer_by', moment(turn.answers_at)));
end
$$;
