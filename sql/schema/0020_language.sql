-- 0020_language: the language in which somebody bought or wrote, so that every mail about
-- it is in that one, also when a worker sends it days later.
--
-- A folder of the templates, "de"; null: nobody has said (adopted orders, for one), which
-- means the shop's default. Free of a list: an owner may add a language.
alter table subpay.orders
    add column lang text check (lang ~ '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$');
alter table subpay.tickets
    add column lang text check (lang ~ '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$');
alter table subpay.searches
    add column lang text check (lang ~ '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$');
alter table subpay.resume_waits
    add column lang text check (lang ~ '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$');
