/*
 * auth_provider.c - passwords of accounts for Basic, mod_auth_form and their like.
 *
 * Room: handle. Sees httpd.
 *
 * Basic sends the password with every request, and bcrypt takes 60 ms: what was right
 * is remembered as long as any gate remembers, under a keyed hash.
 *
 * A wrong password is AUTH_DENIED also for an address that nobody has: the other word
 * would tell them apart. httpd's modules write the address that failed into the error
 * log, at level error: LogLevel auth_basic:crit keeps it out.
 */
#include "handle/auth.h"

#include <ap_provider.h>
#include <apr_strings.h>
#include <http_request.h>
#include <mod_auth.h>

#include "domain/account.h"
#include "handle/shop.h"
#include "handle/tries.h"
#include "util/text.h"

int sp_auth_try(request_rec *r, const char *email)
{
    return sp_tries_take(r, "login", email, sp_shop()->settings->login_tries);
}

void sp_auth_try_right(request_rec *r, const char *email)
{
    sp_tries_give(r, "login", email, sp_shop()->settings->login_tries);
}

/* The account's id, not the address: httpd writes r->user into its logs. */
static authn_status grant(request_rec *r, const char *account)
{
    r->user = (char *)account;
    return AUTH_GRANTED;
}

static void make_key(request_rec *r, sp_cache_key_t *key, const char *email,
                     const char *password)
{
    const char *both =
        apr_pstrcat(r->pool, sp_text_fold(r->pool, email), "\n", password, NULL);

    sp_cache_key(key, 'b', both, strlen(both));
}

static int stands(const sp_memory_t *memory, apr_interval_time_t life)
{
    apr_interval_time_t age = memory ? apr_time_now() - memory->confirmed_at : -1;

    return age >= 0 && age < life && sp_board_stands(memory->text, &memory->mark);
}

static authn_status check_new(request_rec *r, const sp_cache_key_t *key,
                              const char *email, const char *password)
{
    const sp_settings_t *settings = sp_shop()->settings;
    sp_memory_t *old = sp_cache_get(r, key);
    sp_ctx_t *ctx = sp_shop_ctx(r, "self_service", "customer", 0);
    apr_uint32_t changes = sp_board_changes();
    sp_memory_t memory = { .confirmed_at = apr_time_now() };

    switch (sp_account_check(ctx, email, password, &memory.text)) {
    case SP_DONE:
        sp_auth_try_right(r, email);
        memory.mark = sp_board_mark(memory.text);
        if (sp_board_changes() == changes) {
            sp_cache_put(r, key, &memory,
                         settings->grace > settings->cache_for
                             ? settings->grace
                             : settings->cache_for);
        }
        return grant(r, memory.text);
    case SP_REFUSED:
        return AUTH_DENIED;
    default:
        sp_auth_try_right(r, email);
        return stands(old, settings->grace) ? grant(r, old->text)
                                            : AUTH_GENERAL_ERROR;
    }
}

static authn_status check_password(request_rec *r, const char *email,
                                   const char *password)
{
    apr_interval_time_t life;
    sp_cache_key_t key;
    sp_memory_t *memory;
    int wait;

    if (!sp_shop()) {
        return AUTH_GENERAL_ERROR;
    }
    life = sp_shop()->settings->cache_for;
    make_key(r, &key, email, password);
    memory = sp_cache_get(r, &key);
    if (stands(memory, sp_board_heard() || life < apr_time_from_sec(1)
                           ? life
                           : apr_time_from_sec(1))) {
        return grant(r, memory->text);
    }
    wait = sp_auth_try(r, email);
    if (wait) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, wait));
        return AUTH_DENIED;
    }
    return check_new(r, &key, email, password);
}

void sp_auth_register_provider(apr_pool_t *pool)
{
    static const authn_provider provider = { check_password, NULL };

    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, "subpay",
                              AUTHN_PROVIDER_VERSION, &provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}
