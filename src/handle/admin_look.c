/*
 * admin_look.c - the support area: search, and one customer's case.
 *
 * Room: handle. Sees httpd.
 */
#include <apr_strings.h>
#include <string.h>

#include "domain/desk.h"
#include "domain/desk_act.h"
#include "domain/dispute.h"
#include "handle/admin.h"
#include "handle/admin_act.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"
#include "util/reference.h"

#define LONGEST_QUERY 320

/* Recovering is safe to press from a list: it verifies with the provider first. Other
 * buttons lead to the page that says what they will do. */
static void set_buttons(json_t *answer)
{
    json_t *result;
    size_t i;

    json_array_foreach(json_object_get(answer, "results"), i, result)
    {
        json_t *diagnosis = json_object_get(result, "diagnosis");
        const char *action = sp_json_text(diagnosis, "action");

        if (action && strcmp(action, "recover") == 0) {
            sp_json_set_bool(diagnosis, "can_press", 1);
        }
    }
}

/* GET /search?q= */
int sp_handle_admin_search(request_rec *r, sp_ctx_t *ctx)
{
    const char *q = sp_query_get(r, "q");
    json_t *answer;

    if (q && strlen(q) > LONGEST_QUERY) {
        return sp_admin_error(r, ctx, HTTP_BAD_REQUEST, "too_long",
                              "That is too much to search for.");
    }
    if (sp_desk_search(ctx, q, &answer) != SP_DONE) {
        return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                              "The database does not answer. Nothing is lost: try "
                              "again in a moment.");
    }
    if (!sp_wants_json(r)) {
        set_buttons(answer);
    }
    return sp_admin_show(r, ctx, HTTP_OK, "admin_search", answer);
}

/* GET /orders/<reference>/evidence: all that a bank asks for, and the button */
static int show_evidence(request_rec *r, sp_ctx_t *ctx, const char *reference,
                         json_t *value)
{
    json_t *evidence;

    if (sp_dispute_evidence(ctx, reference, &evidence) != SP_DONE) {
        return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                              "The database does not answer. Nothing is lost: try "
                              "again in a moment.");
    }
    if (!evidence) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "No bank has asked about this order.");
    }
    json_object_set(value, "evidence", evidence);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_evidence", value);
}

/* GET /orders/<reference>, and /orders/<reference>/<action>: what that would do */
int sp_handle_admin_order(request_rec *r, sp_ctx_t *ctx)
{
    const char *rest = sp_place(r)->rest;
    const char *slash = ap_strchr_c(rest, '/');
    const char *about =
        slash ? apr_pstrmemdup(r->pool, rest, (apr_size_t)(slash - rest)) : rest;
    const char *done = sp_query_get(r, "done");
    const char *reference;
    json_t *answer;

    if (!sp_reference_parse(r->pool, about, &reference)) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such reference. Search for it: a typo in "
                              "one symbol is found.");
    }
    if (sp_desk_case(ctx, reference, &answer) != SP_DONE) {
        return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                              "The database does not answer. Nothing is lost: try "
                              "again in a moment.");
    }
    if (!answer) {
        return sp_admin_error(
            r, ctx, HTTP_NOT_FOUND, "not_found",
            "There is no such order here. Search for the reference: "
            "that asks the provider as well.");
    }
    sp_json_set_text(answer, "done", done ? sp_desk_say(done) : NULL);
    sp_admin_set_actions(answer);
    sp_admin_set_here(r, ctx, reference, answer);
    if (slash && strcmp(slash + 1, "evidence") == 0) {
        return show_evidence(r, ctx, reference, answer);
    }
    return slash ? sp_admin_preview(r, ctx, HTTP_OK, slash + 1,
                                    sp_query_get(r, "payment"), answer)
                 : sp_admin_show(r, ctx, HTTP_OK, "admin_order", answer);
}
