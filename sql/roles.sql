-- roles.sql: who owns, and who may execute what. Run after functions/, in the same
-- transaction, so that no function is ever there without its rights. Safe to repeat.
--
-- subpay_owner   owns everything; nobody logs in as it
-- subpay_web     httpd's request path
-- subpay_worker  the worker and subpayctl: all that the web may, and the jobs
--
-- None of them logs in unless the admin says so (alter role ... login), and neither of
-- the last two can touch a table: a bug in C, or a stolen connection, gets the functions
-- below and their rules, nothing else.
set local client_min_messages = warning;

-- Roles belong to the whole cluster: another database may be making them right now.
do $$
declare
    role text;
begin
    foreach role in array '{subpay_owner,subpay_web,subpay_worker}'::text[] loop
        if not exists (select from pg_roles where rolname = role) then
            begin
                execute format('create role %I nologin', role);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
    end loop;
    -- The next migration must be able to alter what now becomes the owner's.
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant subpay_owner to %I', current_user);
    end if;
    -- To hand objects over, the new owner needs this right for a moment, unless a
    -- superuser does it.
    execute 'grant create on schema subpay to subpay_owner';
end
$$;

-- Everything in the schema becomes the owner's, whoever ran the migration.
do $$
declare
    thing record;
begin
    for thing in
        select format('alter %s %s owner to subpay_owner',
                      case c.relkind when 'v' then 'view' else 'table' end,
                      c.oid::regclass) as command
          from pg_class c
         where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'p', 'v')
           and c.relowner <> 'subpay_owner'::regrole
        union all
        select format('alter type %s owner to subpay_owner', t.oid::regtype)
          from pg_type t
          join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
         where t.typnamespace = 'subpay'::regnamespace
           and t.typowner <> 'subpay_owner'::regrole
        union all
        select format('alter function %s owner to subpay_owner', p.oid::regprocedure)
          from pg_proc p
         where p.pronamespace = 'subpay'::regnamespace
           and p.proowner <> 'subpay_owner'::regrole
    loop
        execute thing.command;
    end loop;
end
$$;

alter schema subpay owner to subpay_owner;

-- Nothing by default, now and for what is added later ...
revoke all on schema subpay from public;
revoke all on all tables in schema subpay from public, subpay_web, subpay_worker;
revoke all on all sequences in schema subpay from public, subpay_web, subpay_worker;
revoke all on all functions in schema subpay from public, subpay_web, subpay_worker;
alter default privileges for role subpay_owner revoke execute on functions from public;

-- ... but these.
grant usage on schema subpay to subpay_web, subpay_worker;
do $$
declare
    web constant text[] := '{
        settle, settle_many, event_keep,
        order_place, checkout_store, order_cancel,
        order_get, order_by_reference, order_by_id, order_money,
        lookup, status, runs_recent,
        account_get, account_login, account_link, account_link_get, account_by_order,
        email_correct, password_ask, password_set,
        session_open, session_get, session_close,
        search_add, ticket_write, support_turn, checking_note,
        desk_case, desk_queue, desk_ticket, desk_runs, desk_ledger, desk_pictures,
        desk_run_now,
        desk_recover, desk_resend, desk_email, desk_refund, desk_extend, desk_grant,
        desk_note, desk_assign, desk_close, desk_reply, desk_thank, desk_visit, desk_duty,
        desk_duties, desk_alert_test, desk_write, desk_evidence, desk_dispute,
        account_used,
        alerts_list, alert_take, checkout_pause, checkout_paused, resume_wait,
        health, metrics,
        renewals_of, renewal_want, renewal_pay_url, periods_unmatched,
        credit_deduct, credit_refund, credits_get, entitlements_get}';
    worker constant text[] := '{
        settings_store, refund_allowed, capture_allowed, refund_ready, refunds_decide,
        refunds_unmatched, disputes_unmatched, disputes_due, dispute_asked,
        payments_due, payment_asked,
        worker_beat, workers_at, worker_gone,
        worker_release, leader_try,
        outbox_claim, outbox_sent, outbox_retry, outbox_dead, outbox_next,
        outbox_depth,
        orders_due, order_asked, events_due, event_retry,
        events_known, payments_unmatched,
        run_begin, run_end, watermark_get, watermark_set, doctor_look,
        alert_raise, alert_clear, alert_watch, alert_letter, digest_make, metrics_roll,
        anomalies, anomaly_mend,
        access_changes_since, access_clean,
        person_export, person_erase, retention_clean,
        search_claim, search_orders, search_done,
        checkings_due, checking_done, tickets_heal,
        inbox_take, notify_expired,
        renewals_due, renewal_asked}';
    name text;
begin
    foreach name in array web loop
        execute format('grant execute on function subpay.%I to subpay_web, subpay_worker',
                       name);
    end loop;
    foreach name in array worker loop
        execute format('grant execute on function subpay.%I to subpay_worker', name);
    end loop;
end
$$;
