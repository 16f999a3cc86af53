/*
 * admin_queue.c - the support area: the queue, tickets, runs, the ledger, the playbook.
 *
 * Room: handle. Sees httpd.
 */
#include <apr_strings.h>
#include <string.h>

#include "db/desk.h"
#include "domain/desk_act.h"
#include "domain/desk_reply.h"
#include "handle/admin.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"

static int no_database(request_rec *r, sp_ctx_t *ctx)
{
    return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                          "The database does not answer. Nothing is lost: try again "
                          "in a moment.");
}

/* GET / */
int sp_handle_admin_queue(request_rec *r, sp_ctx_t *ctx)
{
    json_t *value, *duties;

    if (sp_desk_queue(ctx, &value) != SP_DONE ||
        sp_db_desk_duties(ctx, &duties) != SP_DONE) {
        return no_database(r, ctx);
    }
    json_object_set(value, "duty", json_object_get(duties, "duty"));
    json_object_set(value, "thanks", json_object_get(duties, "thanks"));
    sp_json_set_bool(value, "has_thanks", json_object_get(value, "thanks") != NULL);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_queue", value);
}

/* GET /tickets/<number>?reply=<template>&lang=<language> */
int sp_handle_admin_ticket(request_rec *r, sp_ctx_t *ctx)
{
    const char *lang = sp_query_get(r, "lang");
    const char *done = sp_query_get(r, "done");
    json_t *value;

    if (sp_desk_ticket(ctx, sp_place(r)->rest, sp_query_get(r, "reply"), lang,
                       &value) != SP_DONE) {
        return no_database(r, ctx);
    }
    if (!value) {
        return sp_admin_error(r, ctx, HTTP_NOT_FOUND, "not_found",
                              "There is no such ticket.");
    }
    sp_json_set_bool(value, "in_english", lang && strcmp(lang, "en") == 0);
    sp_json_set_text(value, "done", done ? sp_desk_say(done) : NULL);
    sp_admin_set_here(r, ctx, sp_json_text(value, "ticket"), value);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_ticket", value);
}

/* GET /runs */
int sp_handle_admin_runs(request_rec *r, sp_ctx_t *ctx)
{
    const char *done = sp_query_get(r, "done");
    json_t *value;

    if (sp_db_desk_runs(ctx, &value) != SP_DONE) {
        return no_database(r, ctx);
    }
    sp_json_set_text(value, "done", done ? sp_desk_say(done) : NULL);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_runs", value);
}

/* GET /ledger?account= */
int sp_handle_admin_ledger(request_rec *r, sp_ctx_t *ctx)
{
    json_t *value;

    return sp_db_desk_ledger(ctx, sp_query_get(r, "account"), &value) == SP_DONE
               ? sp_admin_show(r, ctx, HTTP_OK, "admin_ledger", value)
               : no_database(r, ctx);
}

/* GET /playbook */
int sp_handle_admin_playbook(request_rec *r, sp_ctx_t *ctx)
{
    json_t *value = sp_json_object(r->pool);

    sp_json_set_text(value, "title", "Playbook");
    return sp_admin_show(r, ctx, HTTP_OK, "admin_playbook", value);
}
