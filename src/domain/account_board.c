/*
 * account_board.c - which accounts lost something.
 *
 * Room: domain.
 */
#include "domain/account_board.h"

#include <stddef.h>

/* 48 KB; with 10,000 refunds an hour one account in 4,096 is asked about needlessly
 * every 25 minutes. */
#define SLOTS 4096

typedef struct slot_t {
    apr_uint32_t version;
    apr_int64_t changed_at;
} slot_t;

typedef struct board_t {
    apr_uint32_t all;
    apr_int64_t heard_at;
    apr_uint32_t changes;
    slot_t slots[SLOTS];
} board_t;

static board_t *board;

apr_size_t sp_board_size(void)
{
    return sizeof(board_t);
}

void sp_board_use(void *memory)
{
    board = memory;
}

static slot_t *slot_of(const char *account)
{
    apr_uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *account; account++) {
        hash = (hash ^ (unsigned char)*account) * 16777619u;
    }
    return &board->slots[(hash ^ hash >> 16) % SLOTS];
}

sp_board_mark_t sp_board_mark(const char *account)
{
    sp_board_mark_t mark = { 0, 0 };

    if (board) {
        mark.all = __atomic_load_n(&board->all, __ATOMIC_ACQUIRE);
        mark.one = __atomic_load_n(&slot_of(account)->version, __ATOMIC_ACQUIRE);
    }
    return mark;
}

int sp_board_stands(const char *account, const sp_board_mark_t *mark)
{
    sp_board_mark_t now = sp_board_mark(account);

    return now.all == mark->all && now.one == mark->one;
}

apr_time_t sp_board_changed_at(const char *account)
{
    return board ? __atomic_load_n(&slot_of(account)->changed_at, __ATOMIC_ACQUIRE)
                 : 0;
}

/* Earlier news may come later: then the later moment stays. */
static void raise_to(apr_int64_t *moment, apr_int64_t at)
{
    apr_int64_t known = __atomic_load_n(moment, __ATOMIC_ACQUIRE);

    while (known < at &&
           !__atomic_compare_exchange_n(moment, &known, at, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
        continue;
    }
}

void sp_board_change(const char *account, apr_time_t at)
{
    slot_t *slot;

    if (board) {
        slot = slot_of(account);
        raise_to(&slot->changed_at, at ? at : apr_time_now());
        __atomic_add_fetch(&slot->version, 1, __ATOMIC_ACQ_REL);
        __atomic_add_fetch(&board->changes, 1, __ATOMIC_ACQ_REL);
    }
}

void sp_board_change_all(void)
{
    if (board) {
        __atomic_add_fetch(&board->all, 1, __ATOMIC_ACQ_REL);
        __atomic_add_fetch(&board->changes, 1, __ATOMIC_ACQ_REL);
    }
}

apr_uint32_t sp_board_changes(void)
{
    return board ? __atomic_load_n(&board->changes, __ATOMIC_ACQUIRE) : 0;
}

void sp_board_hear(void)
{
    if (board) {
        __atomic_store_n(&board->heard_at, apr_time_now(), __ATOMIC_RELEASE);
    }
}

int sp_board_heard(void)
{
    apr_time_t age;

    if (!board) {
        return 0;
    }
    age = apr_time_now() - __atomic_load_n(&board->heard_at, __ATOMIC_ACQUIRE);
    return age >= 0 && age < apr_time_from_sec(3);
}
