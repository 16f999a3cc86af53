-- subpay.worker_gone: this worker's process is dead, as one on the same host has seen.
-- What it had claimed is due again at once. The number of such mails.
create or replace function subpay.worker_gone(in_id uuid) returns int
language plpgsql security definer
set search_path = subpay, pg_temp
as $$
begin
    delete from workers where id = in_id;
    return worker_release(in_id);
end
$$;
