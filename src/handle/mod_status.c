/*
 * mod_status.c - our block on the page of httpd's mod_status: is this node's worker well?
 *
 * Room: handle. Sees httpd.
 * Source: httpd 2.4, modules/generators/mod_status.h, "Optional hooks".
 *
 * Asks nobody: the page is read when something is wrong, perhaps the database.
 */
#include <apr_time.h>
#include <httpd.h>
#include <http_protocol.h>
#include <mod_status.h>

/* needs httpd.h before it */
#include <apr_optional_hooks.h>

#include "cfg/settings.h"
#include "handle/handle.h"
#include "handle/shop.h"
#include "util/tally.h"

/* It beats every five seconds, and may be busy for some. */
#define SILENT_AFTER 30

typedef struct view_t {
    const char *worker;   /* off, starting, alive or silent */
    int beat_s, looked_s; /* ages; -1: not yet */
    apr_int64_t waiting;
} view_t;

static int age_of(apr_time_t at)
{
    return at ? (int)apr_time_sec(apr_time_now() - at) : -1;
}

static view_t look(const sp_settings_t *settings)
{
    const sp_tally_t *tally = sp_tally_get();
    view_t view = { "off", -1, -1, 0 };

    if (tally) {
        view.beat_s = age_of(tally->beat);
        view.looked_s = age_of(tally->looked);
        view.waiting = tally->waiting;
    }
    if (settings->worker) {
        view.worker = view.beat_s < 0              ? "starting"
                      : view.beat_s > SILENT_AFTER ? "silent"
                                                   : "alive";
    }
    return view;
}

/* As ?auto has it, for programs: what is not known yet has no line. */
static void put_short(request_rec *r, const view_t *view)
{
    ap_rprintf(r, "SubPayWorker: %s\n", view->worker);
    if (view->beat_s >= 0) {
        ap_rprintf(r, "SubPayWorkerAge: %d\n", view->beat_s);
        ap_rprintf(r, "SubPayOutbox: %" APR_INT64_T_FMT "\n", view->waiting);
    }
    if (view->looked_s >= 0) {
        ap_rprintf(r, "SubPayLookAge: %d\n", view->looked_s);
    }
}

static void put_page(request_rec *r, const view_t *view)
{
    ap_rputs("<hr />\n<h2>mod_subpay</h2>\n<dl>\n", r);
    ap_rprintf(r, "<dt>Worker: %s", view->worker);
    if (view->beat_s >= 0) {
        ap_rprintf(r, ", last sign of life %d s ago", view->beat_s);
    }
    ap_rputs("</dt>\n<dt>Provider last looked at with success: ", r);
    if (view->looked_s >= 0) {
        ap_rprintf(r, "%d s ago", view->looked_s);
    }
    else {
        ap_rputs("not yet", r);
    }
    ap_rprintf(r,
               "</dt>\n<dt>Messages that wait to leave: %" APR_INT64_T_FMT
               "</dt>\n</dl>\n",
               view->waiting);
}

static int show(request_rec *r, int flags)
{
    view_t view;

    if (!sp_shop()) {
        return DECLINED;
    }
    view = look(sp_shop()->settings);
    (flags & AP_STATUS_SHORT ? put_short : put_page)(r, &view);
    return OK;
}

void sp_mod_status_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, show, NULL, NULL, APR_HOOK_MIDDLE);
}
