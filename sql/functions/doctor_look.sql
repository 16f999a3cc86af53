-- subpay.doctor_look: what "subpayctl doctor" wants to know of this database: who asks,
-- what that role may do, which files made it, what time it is, which workers live. Reads
-- only.
--
-- role      who is logged in; superuser, tables: how many of ours it can touch by itself
-- denied    functions for the worker that subpay_worker may not execute
-- web       may subpay_web log in, and may it place orders?
create or replace function subpay.doctor_look(out look jsonb)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
begin
    look := jsonb_build_object(
        'role', session_user,
        'superuser', (select r.rolsuper from pg_roles r where r.rolname = session_user),
        'tables', (select count(*) from pg_class c
                    where c.relnamespace = 'subpay'::regnamespace and c.relkind in ('r', 'p')
                      and has_table_privilege(session_user, c.oid,
                                              'select, insert, update, delete')),
        'denied', (select coalesce(jsonb_agg(p.proname order by p.proname), '[]')
                     from pg_proc p
                    where p.pronamespace = 'subpay'::regnamespace and p.prosecdef
                      and not has_function_privilege('subpay_worker', p.oid, 'execute')),
        'web', (select jsonb_build_object(
                    'login', r.rolcanlogin,
                    'sells', bool_and(has_function_privilege(r.oid, p.oid, 'execute')))
                  from pg_roles r, pg_proc p
                 where r.rolname = 'subpay_web' and p.pronamespace = 'subpay'::regnamespace
                   and p.proname in ('order_place', 'settle')
                 group by r.rolcanlogin),
        'migrations', (select jsonb_agg(jsonb_build_object(
                           'version', m.version, 'name', m.name, 'sha256', m.sha256)
                           order by m.version)
                         from schema_migrations m),
        'now', extract(epoch from clock_timestamp()),
        'workers', (select coalesce(jsonb_agg(jsonb_build_object(
                        'host', w.host, 'pid', w.pid, 'leader', w.leader,
                        'age_s', extract(epoch from now() - w.beat_at)::int)
                        order by w.beat_at desc), '[]')
                      from workers w),
        'looked_s', (select h.objects_age_s from health() h));
end
$$;
