-- subpay.workers_at: the workers noted for one host, for whoever is there and can see
-- whether their processes still live.
create or replace function subpay.workers_at(in_host text)
returns table (id uuid, pid int)
language plpgsql stable security definer
set search_path = subpay, pg_temp
as $$
#variable_conflict use_column
begin
    return query select w.id, w.pid from workers w where w.host = in_host;
end
$$;
