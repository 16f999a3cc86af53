/*
 * account_board.h - which accounts lost something, on a board that all processes of
 * this httpd see.
 *
 * Room: domain.
 *
 * A gate answers from a cache for some seconds. Before it reads the database it takes
 * the account's mark, and keeps it with the answer; once the mark has moved, the answer
 * is void. The worker moves marks as PostgreSQL notifies it (channel subpay_access), so
 * every node learns of a refund within milliseconds, wherever it was settled. Marks are
 * shared by accounts with the same hash: one moves too often, never too rarely.
 */
#ifndef SUBPAY_DOMAIN_ACCOUNT_BOARD_H
#define SUBPAY_DOMAIN_ACCOUNT_BOARD_H

#include <apr_time.h>

/* The channel to LISTEN on; the payload is an account's id. */
#define SP_BOARD_CHANNEL "subpay_access"

typedef struct sp_board_mark_t {
    apr_uint32_t all;
    apr_uint32_t one;
} sp_board_mark_t;

/** Bytes of shared memory, zeroed, that a board needs. */
apr_size_t sp_board_size(void);

/** Use this memory from now on, before any process is forked. Without it (subpayctl,
 * unit tests) every call below does nothing and every mark stands. */
void sp_board_use(void *memory);

/** The account's mark; take it before the database is read. */
sp_board_mark_t sp_board_mark(const char *account);

/** Whether nothing has changed since. */
int sp_board_stands(const char *account, const sp_board_mark_t *mark);

/** When something was last taken away, as far as is known here; 0: never. Unlike the
 * mark it is comparable between nodes. */
apr_time_t sp_board_changed_at(const char *account);

/** Something was taken away from this account at that time, 0: now. */
void sp_board_change(const char *account, apr_time_t at);

/** Perhaps from anybody: every mark moves. */
void sp_board_change_all(void);

/** How many changes there were. For a reader who learns whose account it is only from
 * the answer: when this moved meanwhile, the mark taken after it proves nothing. */
apr_uint32_t sp_board_changes(void);

/** The worker, once a second or more often: notifications are being heard. */
void sp_board_hear(void);

/** Whether they were within the last three seconds. */
int sp_board_heard(void);

#endif
