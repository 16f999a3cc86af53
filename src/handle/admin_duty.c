/*
 * admin_duty.c - the support area: who has the week, and what they should know.
 *
 * Room: handle. Sees httpd.
 */
#include "db/desk.h"
#include "domain/desk_act.h"
#include "handle/admin.h"
#include "handle/admin_act.h"
#include "handle/page.h"
#include "handle/route.h"
#include "util/json.h"

/* GET /duty */
int sp_handle_admin_duty(request_rec *r, sp_ctx_t *ctx)
{
    const char *done = sp_query_get(r, "done");
    json_t *value;

    if (sp_db_desk_duties(ctx, &value) != SP_DONE || !value) {
        return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                              "The database does not answer. Nothing is lost: try "
                              "again in a moment.");
    }
    sp_json_set_text(value, "done", done ? sp_desk_say(done) : NULL);
    return sp_admin_show(r, ctx, HTTP_OK, "admin_duty", value);
}

/* POST /duty */
int sp_handle_admin_duty_take(request_rec *r, sp_ctx_t *ctx)
{
    return sp_admin_press(r, ctx, "duty", "/duty");
}
