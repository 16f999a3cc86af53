/*
 * admin_picture.c - the support area: how the last month went, as pictures.
 *
 * Room: handle. Sees httpd.
 */
#include "db/desk.h"
#include "handle/admin.h"
#include "handle/route.h"
#include "handle/page.h"
#include "view/picture.h"

static void draw(request_rec *r, json_t *value, const char *name, const json_t *rows,
                 const char *label, const char *first, const char *second)
{
    json_object_set(value, name,
                    sp_picture_columns(r->pool, rows, label, first, second));
}

/* In tables today comes first: nobody scrolls for it. */
static json_t *newest_first(const json_t *days)
{
    json_t *turned = json_array();
    json_t *day;
    size_t i;

    json_array_foreach(days, i, day)
    {
        json_array_insert(turned, 0, day);
    }
    return turned;
}

/* GET /pictures */
int sp_handle_admin_pictures(request_rec *r, sp_ctx_t *ctx)
{
    const json_t *days, *access;
    json_t *value;

    if (sp_db_desk_pictures(ctx, &value) != SP_DONE || !value) {
        return sp_admin_error(r, ctx, HTTP_SERVICE_UNAVAILABLE, "database",
                              "The database does not answer. Nothing is lost: try "
                              "again in a moment.");
    }
    if (!sp_wants_json(r)) {
        days = json_object_get(value, "by_day");
        access = json_object_get(value, "access");
        json_object_set_new(value, "newest_first", newest_first(days));
        draw(r, value, "orders_picture", days, "label", "orders", "payments");
        draw(r, value, "access_picture", json_object_get(access, "spread"), "within",
             "orders", NULL);
        draw(r, value, "via_picture", json_object_get(value, "via"), "label",
             "orders", NULL);
        draw(r, value, "mails_picture", days, "label", "sent", "late");
        draw(r, value, "risk_picture",
             json_object_get(json_object_get(value, "risk"), "by_age"), "waiting",
             "payments", NULL);
    }
    return sp_admin_show(r, ctx, HTTP_OK, "admin_pictures", value);
}
