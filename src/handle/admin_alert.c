/*
 * admin_alert.c - the support area: what is wrong, "I have it", and the pause.
 *
 * Room: handle. Sees httpd.
 */
#include <apr_strings.h>
#include <string.h>

#include "db/alert.h"
#include "domain/desk_act.h"
#include "handle/admin.h"
#include "handle/admin_act.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"

#define TAKE "/acknowledge"

static int database_away(request_rec *r, sp_ctx_t *ctx)
{
    return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                          "The database does not answer. Try again in a moment.");
}

/* GET /alerts */
int sp_handle_admin_alerts(request_rec *r, sp_ctx_t *ctx)
{
    const char *done = sp_query_get(r, "done");
    json_t *list;

    if (sp_db_alerts_list(ctx, &list) != SP_DONE) {
        return database_away(r, ctx);
    }
    sp_json_set_text(list, "done", done ? sp_desk_say(done) : NULL);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_alerts", list);
}

/* After a press: the page as it is now, or the answer as JSON. */
static int show_after(request_rec *r, json_t *answer)
{
    return sp_wants_json(r) ? sp_json_show(r, HTTP_OK, answer)
                            : sp_page_go(r, sp_admin_url(r, "/alerts", NULL));
}

/* The key in "money/acknowledge"; NULL when the address is another. */
static const char *taken_key(request_rec *r)
{
    const char *rest = sp_place(r)->rest;
    apr_size_t len = strlen(rest), tail = strlen(TAKE);

    return len > tail && strcmp(rest + len - tail, TAKE) == 0
               ? apr_pstrmemdup(r->pool, rest, len - tail)
               : NULL;
}

/* POST /alerts/<key>/acknowledge */
int sp_handle_admin_alert_take(request_rec *r, sp_ctx_t *ctx)
{
    const char *key = taken_key(r);
    sp_form_t *form;
    json_t *answer;
    int status = sp_admin_form(r, ctx, &form);

    if (status != DECLINED) {
        return status;
    }
    if (!key) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such action.");
    }
    if (sp_db_alert_take(ctx, key, &answer) != SP_DONE) {
        return database_away(r, ctx);
    }
    if (strcmp(sp_json_text(answer, "verdict"), "none") == 0) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such alert.");
    }
    return show_after(r, answer);
}

/* POST /alerts/test */
int sp_handle_admin_alert_test(request_rec *r, sp_ctx_t *ctx)
{
    return sp_admin_press(r, ctx, "alert_test", "/alerts");
}

/* POST /pause: "on" stops checkout, "off" resumes it */
int sp_handle_admin_pause(request_rec *r, sp_ctx_t *ctx)
{
    sp_form_t *form;
    json_t *answer;
    const char *to;
    int changed, on;
    int status = sp_admin_form(r, ctx, &form);

    if (status != DECLINED) {
        return status;
    }
    to = sp_form_get(form, "to");
    on = to && strcmp(to, "on") == 0;
    if (!on && (!to || strcmp(to, "off") != 0)) {
        return sp_admin_error(r, ctx, HTTP_BAD_REQUEST, "malformed",
                              "Say to=on or to=off.");
    }
    if (sp_db_checkout_pause(ctx, on, sp_form_get(form, "reason"), &changed) !=
        SP_DONE) {
        return database_away(r, ctx);
    }
    answer = sp_json_object(r->pool);
    sp_json_set_bool(answer, "paused", on);
    sp_json_set_bool(answer, "changed", changed);
    return show_after(r, answer);
}
