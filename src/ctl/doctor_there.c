/*
 * doctor_there.c - what can be wrong at the provider: our key, prices, the endpoint.
 *
 * Room: ctl.
 */
#include <apr_strings.h>
#include <string.h>

#include "ctl/doctor.h"
#include "domain/endpoint.h"
#include "domain/price.h"
#include "provider/provider.h"

typedef void (*look_fn)(sp_doctor_t *doctor, const sp_account_t *account);

/* Without a key there is nobody to ask; that has been told. */
static void each_account(sp_doctor_t *doctor, look_fn look)
{
    const apr_array_header_t *accounts = doctor->cli->settings->accounts;
    int i;

    for (i = 0; i < accounts->nelts; i++) {
        const sp_account_t *account = APR_ARRAY_IDX(accounts, i, sp_account_t *);

        doctor->heard = NULL;
        if (account->key) {
            look(doctor, account);
        }
    }
}

static void no_answer(sp_doctor_t *doctor, const sp_account_t *account)
{
    const char *code = doctor->cli->ctx.code;

    if (code && strcmp(code, "provider_key") == 0) {
        sp_doctor_wrong(doctor,
                        "make a key with the rights that the README lists, put it "
                        "where SubPayProviderKey says, restart httpd",
                        "%s does not take our key for this",
                        account->provider->title);
        return;
    }
    sp_doctor_wrong(doctor, "try again; see the provider's status page",
                    "%s does not answer as it should: %s", account->provider->title,
                    code ? code : "unknown");
}

static void look_at_provider(sp_doctor_t *doctor, const sp_account_t *account)
{
    apr_time_t clock = 0, asked = apr_time_now();

    if (!account->provider->account_check) {
        sp_doctor_ok(doctor, "%s cannot be asked for its clock",
                     account->provider->title);
        return;
    }
    if (account->provider->account_check(&doctor->cli->ctx, account, &clock) !=
        SP_DONE) {
        no_answer(doctor, account);
        return;
    }
    sp_doctor_ok(doctor, "%s takes our key", account->provider->title);
    if (clock) {
        sp_doctor_clock(doctor, account->provider->title, clock, asked);
    }
}

void sp_doctor_provider(sp_doctor_t *doctor)
{
    each_account(doctor, look_at_provider);
}

/* ---- prices ------------------------------------------------------------------------ */

static void look_at_price(sp_doctor_t *doctor, const sp_account_t *account,
                          const sp_product_t *product)
{
    static const char todo[] =
        "let SubPayPrice and SubPayProviderPrice name the same";
    sp_price_t price = { .active = 0 };
    const char *problem;
    sp_outcome_t out = account->provider->price_fetch(
        &doctor->cli->ctx, account, product->provider_price, &price);

    if (out == SP_REFUSED) {
        sp_doctor_wrong(doctor, todo, "%s: %s knows no price %s", product->name,
                        account->provider->title, product->provider_price);
        return;
    }
    if (out != SP_DONE) {
        no_answer(doctor, account);
        return;
    }
    problem = sp_price_problem(doctor->pool, product, &price);
    if (problem) {
        sp_doctor_wrong(doctor, todo, "%s, price %s: %s", product->name,
                        product->provider_price, problem);
        return;
    }
    sp_doctor_ok(doctor, "%s costs %s there and here", product->name,
                 sp_money_text(doctor->pool, &product->price));
}

/* New orders go to one provider; the others' prices do not matter any more. */
void sp_doctor_prices(sp_doctor_t *doctor)
{
    const sp_settings_t *settings = doctor->cli->settings;
    const sp_account_t *account = sp_settings_account(settings, settings->provider);
    const sp_product_t *product;
    int i;

    for (i = 0; account && i < settings->products->nelts; i++) {
        product = APR_ARRAY_IDX(settings->products, i, sp_product_t *);
        doctor->heard = NULL;
        if (!product->provider_price || !account->provider->price_fetch) {
            sp_doctor_ok(doctor, "%s costs %s, as written here", product->name,
                         sp_money_text(doctor->pool, &product->price));
        }
        else if (account->key) {
            look_at_price(doctor, account, product);
        }
    }
}

/* ---- the endpoint -------------------------------------------------------------------- */

static void look_at_endpoint(sp_doctor_t *doctor, const sp_account_t *account)
{
    sp_ctx_t *ctx = &doctor->cli->ctx;
    const char *url = sp_endpoint_url(ctx, account);
    sp_endpoint_t endpoint = { .found = 0 };
    const char *problem;

    if (!account->provider->endpoint_check) {
        sp_doctor_warn(doctor, "look into its dashboard",
                       "%s cannot be asked for our webhook endpoint %s",
                       account->provider->title, url);
        return;
    }
    if (account->provider->endpoint_check(ctx, account, url, &endpoint) != SP_DONE) {
        no_answer(doctor, account);
        return;
    }
    problem = sp_endpoint_problem(doctor->pool, account, &endpoint);
    if (problem) {
        sp_doctor_wrong(doctor,
                        endpoint.found ? "mend it in the dashboard"
                                       : "subpayctl webhook create",
                        "%s; it should be %s", problem, url);
        return;
    }
    sp_doctor_ok(doctor, "%s sends all we need to %s", account->provider->title,
                 url);
}

void sp_doctor_endpoint(sp_doctor_t *doctor)
{
    each_account(doctor, look_at_endpoint);
}
