/*
 * account.c - what people do with their account.
 *
 * Room: domain.
 * Source: apr_md5.h for bcrypt; NIST SP 800-63B, section 5.1.1, for what makes a
 * password acceptable.
 */
#include "domain/account.h"

#include <apr_md5.h>
#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "domain/account_board.h"
#include "util/log.h"
#include "util/text.h"

#define TOKEN_SIZE 16

/* About 60 ms on the machines of 2023. */
#define BCRYPT_COST 10
#define BCRYPT_MOST 72 /* bytes; it reads no further */
#define LEAST_CHARACTERS 8

/* Checked for addresses without a password, so that the answer takes as long. It is of
 * the same cost, and of a password that nobody knows. */
static const char dummy_hash[] =
    "$2y$10$CdESqWSVa8NzOof8rXQAu.a5QqKfQmiERREPC3NKvfiZDVqNpOtiG";

int sp_account_hash(const char *token, unsigned char hash[SP_HASH_SIZE])
{
    unsigned char bytes[TOKEN_SIZE];

    if (!token || !sp_crypto_unhex(token, bytes, sizeof(bytes))) {
        return 0;
    }
    return sp_crypto_sha256(bytes, sizeof(bytes), hash) == APR_SUCCESS;
}

/* A new token and its hash; NULL (logged) when there is no entropy. */
static const char *token_new(sp_ctx_t *ctx, unsigned char hash[SP_HASH_SIZE])
{
    unsigned char bytes[TOKEN_SIZE];

    if (sp_crypto_random(bytes, sizeof(bytes)) != APR_SUCCESS ||
        sp_crypto_sha256(bytes, sizeof(bytes), hash) != APR_SUCCESS) {
        sp_log(ctx->log, SP_LOG_ERR, 250,
               "OpenSSL gave no random bytes: nobody can log in");
        sp_end(ctx, SP_FAILED, "random", NULL);
        return NULL;
    }
    return sp_crypto_hex(ctx->pool, bytes, sizeof(bytes));
}

sp_outcome_t sp_account_listen(sp_ctx_t *ctx)
{
    apr_array_header_t *changes;
    sp_outcome_t out =
        sp_db_access_changes_since(ctx, ctx->settings->grace, &changes);
    int i;

    sp_board_change_all();
    for (i = 0; out == SP_DONE && i < changes->nelts; i++) {
        const sp_access_change_t *change =
            &APR_ARRAY_IDX(changes, i, const sp_access_change_t);

        /* The moment is that of the statement; its commit came a little later. */
        sp_board_change(change->account, change->at + apr_time_from_sec(1));
    }
    return out;
}

sp_outcome_t sp_account_clean(sp_ctx_t *ctx)
{
    int64_t gone;
    sp_outcome_t out = sp_db_access_clean(ctx, &gone);

    if (out == SP_DONE && gone > 0) {
        sp_log(ctx->log, SP_LOG_DEBUG, 258,
               "%" APR_INT64_T_FMT " ended sessions and "
               "links forgotten",
               (apr_int64_t)gone);
    }
    return out;
}

static int is_common(const char *password)
{
    static const char *const common[] = {
#include "domain/account_common.def"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
        if (strcasecmp(password, common[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Characters as people count them, near enough: bytes that do not continue one. */
static int count_characters(const char *text)
{
    int count = 0;

    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

const char *sp_password_problem(const char *password)
{
    if (!password || count_characters(password) < LEAST_CHARACTERS) {
        return "Choose a password of 8 characters or more.";
    }
    if (strlen(password) > BCRYPT_MOST) {
        return "This password is longer than we can keep. Choose one of at most 72 "
               "characters (fewer with accents or other scripts).";
    }
    if (!sp_text_is_utf8(password, strlen(password))) {
        return "This password holds characters that are no text. Choose another.";
    }
    if (is_common(password)) {
        return "This password is one of the first that others would try. Choose "
               "another, such as three words that do not belong together.";
    }
    return NULL;
}

/* Too long is wrong without a look, but must not answer sooner. */
static int password_matches(const char *password, const char *hash)
{
    int usable = hash && strlen(password) <= BCRYPT_MOST;
    apr_status_t rv = apr_password_validate(password, usable ? hash : dummy_hash);

    return usable && rv == APR_SUCCESS;
}

sp_outcome_t sp_account_check(sp_ctx_t *ctx, const char *email, const char *password,
                              const char **account)
{
    const char *found, *hash;
    sp_outcome_t out;

    *account = NULL;
    email = sp_text_trim(ctx->pool, email ? email : "");
    password = sp_text_trim(ctx->pool, password ? password : "");
    /* The database refuses what is no text; whoever typed it has no account. */
    out = sp_db_account_login(
        ctx, sp_text_is_clean(email, strlen(email)) ? email : "", &found, &hash);
    if (out != SP_DONE) {
        return out;
    }
    if (!password_matches(password, hash)) {
        return sp_end(
            ctx, SP_REFUSED, "no_match",
            "This e-mail and password do not go together. Try again, or let "
            "us send you a link to choose a new password.");
    }
    *account = found;
    return SP_DONE;
}

sp_outcome_t sp_account_login(sp_ctx_t *ctx, const char *email, const char *password,
                              const char **token)
{
    unsigned char hash[SP_HASH_SIZE];
    const char *account;
    sp_outcome_t out;

    *token = NULL;
    out = sp_account_check(ctx, email, password, &account);
    if (out != SP_DONE) {
        return out;
    }
    *token = token_new(ctx, hash);
    return *token ? sp_db_session_open(ctx, account, hash, SP_SESSION_LIFE)
                  : SP_FAILED;
}

sp_outcome_t sp_account_session(sp_ctx_t *ctx, const char *token,
                                sp_customer_t **customer)
{
    unsigned char hash[SP_HASH_SIZE];

    *customer = NULL;
    return sp_account_hash(token, hash) ? sp_db_session_get(ctx, hash, customer)
                                        : SP_DONE;
}

sp_outcome_t sp_account_logout(sp_ctx_t *ctx, const char *token)
{
    unsigned char hash[SP_HASH_SIZE];
    sp_customer_t *customer;
    sp_outcome_t out;

    if (!sp_account_hash(token, hash)) {
        return SP_DONE;
    }
    out = sp_db_session_get(ctx, hash, &customer);
    if (out != SP_DONE || !customer) {
        return out;
    }
    out = sp_db_session_close(ctx, hash);
    if (out == SP_DONE) {
        sp_board_change(customer->id, 0);
    }
    return out;
}

sp_outcome_t sp_account_link(sp_ctx_t *ctx, const char *account,
                             const char *order_id, const char **url)
{
    unsigned char hash[SP_HASH_SIZE];
    sp_order_account_t *owner = NULL;
    const char *token, *email;
    sp_outcome_t out;

    *url = NULL;
    if (!account) {
        out = sp_db_account_by_order(ctx, NULL, order_id, &owner);
        if (out != SP_DONE || (owner && owner->has_password)) {
            return out;
        }
        account = owner ? owner->id : NULL;
    }
    token = token_new(ctx, hash);
    if (!token) {
        return SP_FAILED;
    }
    email = NULL;
    out = account ? sp_db_account_link(ctx, account, hash, SP_LINK_LIFE, &email)
                  : SP_DONE;
    if (out != SP_DONE) {
        return out;
    }
    if (!email) {
        return sp_end(ctx, SP_REFUSED, "no_account", NULL);
    }
    *url =
        apr_pstrcat(ctx->pool, ctx->settings->base_url, "/password?t=", token, NULL);
    return SP_DONE;
}

sp_outcome_t sp_account_link_look(sp_ctx_t *ctx, const char *link,
                                  const char **email)
{
    unsigned char hash[SP_HASH_SIZE];

    *email = NULL;
    return sp_account_hash(link, hash) ? sp_db_account_link_get(ctx, hash, email)
                                       : SP_DONE;
}

sp_outcome_t sp_password_ask(sp_ctx_t *ctx, const char *email)
{
    const char *problem = sp_text_email_problem(email ? email : "");

    if (problem) {
        return sp_end(ctx, SP_REFUSED, "bad_email", problem);
    }
    return sp_db_password_ask(ctx, email);
}

/* $2y$10$ and 53 characters. */
static const char *hash_password(sp_ctx_t *ctx, const char *password)
{
    unsigned char salt[16];
    char *hash = apr_palloc(ctx->pool, 64);

    if (sp_crypto_random(salt, sizeof(salt)) != APR_SUCCESS ||
        apr_bcrypt_encode(password, BCRYPT_COST, salt, sizeof(salt), hash, 64) !=
            APR_SUCCESS) {
        sp_log(ctx->log, SP_LOG_ERR, 251,
               "a password could not be hashed by bcrypt");
        sp_end(ctx, SP_FAILED, "bcrypt", NULL);
        return NULL;
    }
    return hash;
}

static sp_outcome_t refuse_password(sp_ctx_t *ctx, const char *verdict)
{
    if (strcmp(verdict, "has_password") == 0) {
        return sp_end(
            ctx, SP_REFUSED, "has_password",
            "This account has a password already. Log in, or let us send you "
            "a link to choose a new one.");
    }
    return sp_end(ctx, SP_REFUSED,
                  strcmp(verdict, "expired") == 0 ? "expired" : "no_order", NULL);
}

sp_outcome_t sp_password_set(sp_ctx_t *ctx, const char *link,
                             const char *order_token, const char *password,
                             const char **session)
{
    unsigned char by_hash[SP_HASH_SIZE], session_hash[SP_HASH_SIZE];
    sp_password_set_t ask = { .session_hash = session_hash,
                              .session_life = SP_SESSION_LIFE };
    const char *problem, *verdict, *account;
    sp_outcome_t out;

    *session = NULL;
    password = sp_text_trim(ctx->pool, password ? password : "");
    problem = sp_password_problem(password);
    if (problem) {
        return sp_end(ctx, SP_REFUSED, "bad_password", problem);
    }
    if (!sp_account_hash(link ? link : order_token, by_hash)) {
        return refuse_password(ctx, link ? "expired" : "no_order");
    }
    *(link ? &ask.link_hash : &ask.order_hash) = by_hash;
    ask.password_hash = hash_password(ctx, password);
    *session = ask.password_hash ? token_new(ctx, session_hash) : NULL;
    if (!*session) {
        return SP_FAILED;
    }
    out = sp_db_password_set(ctx, &ask, &verdict, &account);
    if (out != SP_DONE || strcmp(verdict, "set") != 0) {
        *session = NULL;
        return out == SP_DONE ? refuse_password(ctx, verdict) : out;
    }
    sp_board_change(account, 0);
    return SP_DONE;
}

sp_outcome_t sp_account_of_order(sp_ctx_t *ctx, const char *order_token,
                                 sp_order_account_t **found)
{
    unsigned char hash[SP_HASH_SIZE];

    *found = NULL;
    return sp_account_hash(order_token, hash)
               ? sp_db_account_by_order(ctx, hash, NULL, found)
               : SP_DONE;
}

/* SP_DONE for "corrected". */
static sp_outcome_t judge_correction(sp_ctx_t *ctx, const char *verdict)
{
    static const char *const refusals[][2] = {
        { "same", "This is the address we have. Enter the right one." },
        { "used",
          "The address was corrected once already. Write to us, and we see to it." },
        { "no_order",
          "This order gives no access, so there is nothing to correct." },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strcmp(verdict, refusals[i][0]) == 0) {
            return sp_end(ctx, SP_REFUSED, refusals[i][0], refusals[i][1]);
        }
    }
    return SP_DONE;
}

sp_outcome_t sp_email_correct(sp_ctx_t *ctx, const char *order_token,
                              const char *email)
{
    const char *problem = sp_text_email_problem(email ? email : "");
    unsigned char hash[SP_HASH_SIZE];
    sp_order_account_t *owner;
    const char *verdict;
    sp_outcome_t out;

    if (problem) {
        return sp_end(ctx, SP_REFUSED, "bad_email", problem);
    }
    out = sp_account_of_order(ctx, order_token, &owner);
    if (out != SP_DONE) {
        return out;
    }
    if (!owner || !sp_account_hash(order_token, hash)) {
        return judge_correction(ctx, "no_order");
    }
    out = sp_db_email_correct(ctx, hash, email, sp_text_email_mask(ctx->pool, email),
                              &verdict);
    out = out == SP_DONE ? judge_correction(ctx, verdict) : out;
    if (out == SP_DONE) {
        sp_board_change(owner->id, 0);
    }
    return out;
}
