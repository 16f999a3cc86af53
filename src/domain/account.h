/*
 * account.h - what people do with their account: choose a password, log in and out,
 * correct the address.
 *
 * Room: domain. Tokens are 32 hex digits, 128 random bits; the database knows only
 * their SHA-256.
 */
#ifndef SUBPAY_DOMAIN_ACCOUNT_H
#define SUBPAY_DOMAIN_ACCOUNT_H

#include "db/account.h"
#include "model/ctx.h"

#define SP_SESSION_LIFE apr_time_from_sec(30 * 86400)
#define SP_LINK_LIFE apr_time_from_sec(72 * 3600)

/** SHA-256 over the 16 bytes behind a token; 0 when the text is no token. */
int sp_account_hash(const char *token, unsigned char hash[SP_HASH_SIZE]);

/**
 * What is wrong with a password that somebody chooses, fit to show; NULL: nothing.
 *
 * Eight characters or more, at most 72 bytes (bcrypt reads no further, and a cut
 * password is another password), not among the commonest. No other rules.
 */
const char *sp_password_problem(const char *password);

/**
 * Is this the password of that address?
 *
 * Takes as long for an address that nobody has. White space around either does not
 * count, as in forms.
 *
 * @param account  its id, on SP_DONE only
 * @return SP_REFUSED  no; ctx->say does not tell which of the two was wrong
 *         SP_FAILED   code database
 */
sp_outcome_t sp_account_check(sp_ctx_t *ctx, const char *email, const char *password,
                              const char **account);

/** The same, and a session begins: *token goes into the browser's cookie. */
sp_outcome_t sp_account_login(sp_ctx_t *ctx, const char *email, const char *password,
                              const char **token);

/** End a session, and what caches know of it. */
sp_outcome_t sp_account_logout(sp_ctx_t *ctx, const char *token);

/** Whose session this is and what they may use now; *customer NULL: it has ended. */
sp_outcome_t sp_account_session(sp_ctx_t *ctx, const char *token,
                                sp_customer_t **customer);

/**
 * The address that a mail offers for choosing a password; made as the mail is written.
 *
 * @param account  its id; or NULL, then that of the order, and *url is NULL when a
 *                 password was chosen already (offer the start page instead)
 * @param order_id used when account is NULL
 * @return SP_REFUSED with code no_account when there is none
 */
sp_outcome_t sp_account_link(sp_ctx_t *ctx, const char *account,
                             const char *order_id, const char **url);

/** Whose link this is while it works; *email NULL otherwise. Looking spends nothing. */
sp_outcome_t sp_account_link_look(sp_ctx_t *ctx, const char *link,
                                  const char **email);

/** Somebody wants a link by mail. The same answer whatever we know of the address.
 * SP_REFUSED with code bad_email for what is none. */
sp_outcome_t sp_password_ask(sp_ctx_t *ctx, const char *email);

/**
 * Choose a password, by a mailed link or in the browser that paid.
 *
 * Every session ends, and one begins: *session goes into this browser's cookie.
 *
 * @param link         token of the link, or NULL
 * @param order_token  token of an order, used without a link: the first password only
 * @return SP_REFUSED  code bad_password, expired, has_password or no_order
 */
sp_outcome_t sp_password_set(sp_ctx_t *ctx, const char *link,
                             const char *order_token, const char *password,
                             const char **session);

/** Whose access the order of this token pays for; *found NULL while it gives none. */
sp_outcome_t sp_account_of_order(sp_ctx_t *ctx, const char *order_token,
                                 sp_order_account_t **found);

/**
 * Whoever paid mistyped the address, and says the right one. Once.
 *
 * @return SP_REFUSED  code bad_email, same, used or no_order; ctx->say is fit to show
 */
sp_outcome_t sp_email_correct(sp_ctx_t *ctx, const char *order_token,
                              const char *email);

/** The worker begins to hear what is taken away: put what it has missed, as far back as
 * grace goes, on the board. */
sp_outcome_t sp_account_listen(sp_ctx_t *ctx);

/** Forget sessions, links and marks that ended a week ago; once a day is enough. */
sp_outcome_t sp_account_clean(sp_ctx_t *ctx);

#endif
