-- 0018_desk_more: what the desk draws, who looks at what, who is on duty, what customers
-- write back.

-- The page of pictures reads a month by these. Both tables grow by time, so that a BRIN
-- index finds the month and costs an insert next to nothing.
create index orders_created on subpay.orders using brin (created_at)
    with (pages_per_range = 16, autosummarize = on);
create index outbox_created on subpay.outbox using brin (created_at)
    with (pages_per_range = 16, autosummarize = on);
