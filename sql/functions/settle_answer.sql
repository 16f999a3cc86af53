-- subpay.settle_answer: what settle says about an order as it stands. Internal.
create or replace function subpay.settle_answer(
    in_verdict text, in_reason text, in_order subpay.orders, in_mail text default null)
returns subpay.settled
language plpgsql immutable
as $$
declare
    answer subpay.settled;
begin
    answer.verdict := in_verdict;
    answer.reason := in_reason;
    answer.order_id := in_order.id;
    answer.reference := in_order.reference;
    answer.state := in_order.state;
    answer.completed_via := in_order.completed_via;
    answer.mail := in_mail;
    -- not from access_delay: a generated column is not yet in a row we made ourselves
    answer.delay_s := extract(epoch from in_order.completed_at - in_order.paid_at);
    return answer;
end
$$;
