/*
 * outbox.c - let out what the database has decided to say.
 *
 * Room: domain.
 */
#include "domain/outbox.h"

#include <apr_strings.h>
#include <string.h>

#include "cfg/settings.h"
#include "db/jobs.h"
#include "domain/alert.h"
#include "domain/alert_watch.h"
#include "domain/capture.h"
#include "domain/dispute.h"
#include "domain/letter.h"
#include "domain/notify.h"
#include "domain/refund.h"
#include "mail/smtp.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/log.h"
#include "view/templates.h"

#define BATCH 8

/* A batch that takes longer gives the rest back, so that a server that answers slowly
 * does not keep the worker from everything else. */
#define BATCH_TIME apr_time_from_sec(5)
#define LEASE_S 60

/* The mail server's own limit for one message, and the sign of life around it. */
#define SEND_TIME apr_time_from_sec(30)
#define SEND_WITHIN apr_time_from_sec(45)

/* After so many that met no server at all, the others of a batch need not try. */
#define ENOUGH_IN_VAIN 2

/* While an application lets us wait in vain, no mail leaves: then it is not asked for
 * this many times as long, which leaves the mails six sevenths of the time. */
#define APP_QUIET 6

struct sp_outbox_t {
    sp_smtp_t *smtp; /* NULL: no mail server is configured, or not a usable one */
    const char *worker;
    const sp_pulse_t *pulse;
    const char *domain;   /* of the sender: the right side of every Message-ID */
    int in_vain;          /* mails in a row that met no server */
    apr_time_t app_quiet; /* no message to the application before this */
};

/* How one row went. */
typedef struct sending_t {
    sp_ctx_t *ctx;
    sp_outbox_t *outbox;
    const sp_outbox_row_t *row;
    const char *say; /* the server's words or ours; holds no address */
} sending_t;

static const char *domain_of(apr_pool_t *pool, const char *from)
{
    sp_mailbox_t box;

    if (!from || sp_mailbox_parse(pool, from, &box)) {
        return "localhost";
    }
    return strchr(box.address, '@') + 1;
}

sp_outbox_t *sp_outbox_open(sp_ctx_t *ctx, const char *worker,
                            const sp_pulse_t *pulse, const char **error)
{
    const sp_settings_t *settings = ctx->settings;
    sp_outbox_t *outbox = apr_pcalloc(ctx->pool, sizeof(*outbox));
    sp_smtp_settings_t how = { .server = settings->mail_server,
                               .tls = settings->mail_tls,
                               .login = settings->mail_login,
                               .timeout = SEND_TIME };

    outbox->worker = worker;
    outbox->pulse = pulse;
    outbox->domain = domain_of(ctx->pool, settings->mail_from);
    *error = NULL;
    if (!settings->mail_server || !settings->mail_from) {
        *error = "SubPayMailServer and SubPayMailFrom are not both set";
    }
    else if (sp_smtp_open(ctx->pool, &how, &outbox->smtp, error) != APR_SUCCESS) {
        outbox->smtp = NULL;
    }
    return outbox;
}

/* A Message-ID in full: one of ours stands in the books without its domain. */
static const char *whole_id(sending_t *send, const char *id)
{
    return !id || strchr(id, '@')
               ? id
               : apr_pstrcat(send->ctx->pool, id, "@", send->outbox->domain, NULL);
}

/* The mail before, and those before it, where this one goes on with a ticket. */
static void set_thread(sending_t *send, sp_message_t *message)
{
    apr_pool_t *pool = send->ctx->pool;
    json_t *payload = sp_json_own(pool, json_loads(send->row->payload, 0, NULL));
    json_t *refs = json_object_get(payload, "refs");
    json_t *id;
    size_t i;

    message->in_reply_to = whole_id(send, sp_json_text(payload, "thread"));
    message->references = apr_array_make(pool, 12, sizeof(const char *));
    json_array_foreach(refs, i, id)
    {
        APR_ARRAY_PUSH(message->references, const char *) =
            whole_id(send, json_string_value(id));
    }
}

/* What people wrote themselves is no automatic mail; an acknowledgement answers what
 * somebody wrote, and programs must not answer it again. */
static const char *auto_submitted(const char *template)
{
    return template && strcmp(template, "reply") == 0         ? NULL
           : template && strcmp(template, "acknowledge") == 0 ? "auto-replied"
                                                              : "auto-generated";
}

static sp_outcome_t post(sending_t *send, const char *to,
                         const sp_mail_words_t *words)
{
    const sp_settings_t *settings = send->ctx->settings;
    const sp_outbox_row_t *row = send->row;
    sp_message_t message = { .from = settings->mail_from,
                             .reply_to = settings->support_email,
                             .to = to,
                             .subject = words->subject,
                             .text = words->text,
                             .html = words->html,
                             .lang = words->lang,
                             .auto_submitted = auto_submitted(row->template),
                             .date = apr_time_now() };
    sp_smtp_answer_t answer = { 0 };
    sp_outcome_t out;

    set_thread(send, &message);
    message.message_id =
        apr_psprintf(send->ctx->pool, "outbox-%" APR_INT64_T_FMT ".%s@%s", row->id,
                     row->message_id ? row->message_id : "0", send->outbox->domain);
    sp_pulse_beat(send->outbox->pulse, SEND_WITHIN);
    out = sp_smtp_send(send->outbox->smtp, send->ctx->pool, &message, &answer);
    send->say = answer.say ? answer.say : "no answer";
    send->outbox->in_vain =
        out == SP_FAILED && !answer.code ? send->outbox->in_vain + 1 : 0;
    return out;
}

static sp_outcome_t write_and_post(sending_t *send, const char *template,
                                   const char *to, json_t *model)
{
    sp_mail_words_t words = { 0 };

    if (!send->outbox->smtp) {
        send->say = "no mail server to send with";
        return SP_FAILED;
    }
    if (send->outbox->in_vain >= ENOUGH_IN_VAIN) {
        send->say = "the mail server could not be reached";
        return SP_FAILED;
    }
    if (sp_mail_render(send->ctx->pool, send->ctx->templates,
                       sp_json_text(model, "lang"), template, model,
                       &words) != APR_SUCCESS) {
        sp_log(send->ctx->log, SP_LOG_ERR, 350, "mail %s cannot be written: %s",
               template, words.error ? words.error : "no such template");
        send->say = "the template cannot be filled";
        return SP_FAILED;
    }
    return post(send, to, &words);
}

static sp_outcome_t send_mail(sending_t *send)
{
    json_t *model;
    sp_outcome_t out = sp_letter_model(send->ctx, send->row, &model);

    if (out != SP_DONE) {
        send->say = "the order cannot be read";
        return out;
    }
    return write_and_post(send, sp_json_text(model, "mail"), send->row->recipient,
                          model);
}

/* To the person whose turn it is, and to the webhook: told once is told, so either is
 * enough. */
static sp_outcome_t send_alert(sending_t *send)
{
    json_t *payload =
        sp_json_own(send->ctx->pool, json_loads(send->row->payload, 0, NULL));
    const char *to = sp_alert_person(
        send->ctx, json_integer_value(json_object_get(payload, "person")));
    int is_digest = send->row->template && !strcmp(send->row->template, "digest");
    sp_outcome_t out = SP_FAILED;
    json_t *model;

    send->say = "neither SubPayAlertTo nor SubPayAlertWebhook is set";
    if (sp_letter_model(send->ctx, send->row, &model) != SP_DONE) {
        return SP_FAILED;
    }
    if (is_digest) {
        return to ? write_and_post(send, "digest", to, model) : SP_DONE;
    }
    out = sp_alert_model(send->ctx, send->row->payload, model);
    if (out != SP_DONE) {
        return out == SP_REFUSED ? SP_DONE : out; /* over, or somebody has it */
    }
    out = to ? write_and_post(send, "alert", to, model) : SP_FAILED;
    return sp_alert_webhook(send->ctx, model) == SP_DONE ? SP_DONE : out;
}

static sp_outcome_t send_notify(sending_t *send)
{
    sp_outbox_t *outbox = send->outbox;
    apr_time_t start = sp_clock_now();
    sp_outcome_t out;

    if (start < outbox->app_quiet) {
        send->say = "the application did not answer a moment ago";
        return SP_FAILED;
    }
    sp_pulse_beat(outbox->pulse, SEND_WITHIN);
    out = sp_notify_send(send->ctx, send->row, &send->say);
    if (out == SP_UNKNOWN) {
        outbox->app_quiet = start + (1 + APP_QUIET) * (sp_clock_now() - start);
    }
    return out;
}

static sp_outcome_t make_refund(sending_t *send)
{
    sp_pulse_beat(send->outbox->pulse, SEND_WITHIN);
    return sp_refund_make(send->ctx, send->row, &send->say);
}

static sp_outcome_t make_capture(sending_t *send)
{
    sp_pulse_beat(send->outbox->pulse, SEND_WITHIN);
    return sp_capture_make(send->ctx, send->row, &send->say);
}

static sp_outcome_t answer_dispute(sending_t *send)
{
    sp_pulse_beat(send->outbox->pulse, SEND_WITHIN);
    return sp_dispute_answer(send->ctx, send->row, &send->say);
}

static const struct {
    const char *kind;
    sp_outcome_t (*send)(sending_t *send);
} ways[] = {
    { "mail", send_mail },       { "alert", send_alert },
    { "notify", send_notify },   { "refund", make_refund },
    { "capture", make_capture }, { "dispute", answer_dispute },
};

static sp_outcome_t send_row(sending_t *send)
{
    size_t i;

    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i].kind, send->row->kind) == 0) {
            return ways[i].send(send);
        }
    }
    send->say = "this version knows no such kind";
    return SP_FAILED;
}

/* A server that may have taken it counts as one that did not: a second mail under
 * the same Message-ID rather than none. */
static sp_outcome_t report(sending_t *send, sp_outcome_t out)
{
    const sp_outbox_row_t *row = send->row;

    if (out == SP_DONE) {
        return sp_db_outbox_sent(send->ctx, row);
    }
    if (out == SP_REFUSED) {
        sp_log(send->ctx->log, SP_LOG_WARN, 351,
               "%s %" APR_INT64_T_FMT " was refused for good: %s", row->kind,
               row->id, send->say);
        return sp_db_outbox_dead(send->ctx, row, send->say);
    }
    sp_log(send->ctx->log, row->attempts <= 1 ? SP_LOG_WARN : SP_LOG_INFO, 352,
           "%s %" APR_INT64_T_FMT " did not leave, to be tried again: %s", row->kind,
           row->id, send->say);
    return sp_db_outbox_retry(send->ctx, row, send->say);
}

static sp_outcome_t send_one(sp_ctx_t *ctx, sp_outbox_t *outbox,
                             const sp_outbox_row_t *row)
{
    sp_ctx_t own = *ctx;
    sending_t send = { .ctx = &own, .outbox = outbox, .row = row };
    sp_outcome_t out;

    apr_pool_create(&own.pool, ctx->pool);
    sp_pulse_hold(outbox->pulse, 1);
    out = report(&send, send_row(&send));
    sp_pulse_hold(outbox->pulse, 0);
    apr_pool_destroy(own.pool);
    return out;
}

sp_outcome_t sp_outbox_drain(sp_ctx_t *ctx, sp_outbox_t *outbox, int *more)
{
    apr_time_t start = sp_clock_now();
    apr_array_header_t *rows;
    sp_outcome_t out;
    int i;

    *more = 0;
    outbox->in_vain = 0;
    out = sp_db_outbox_claim(ctx, outbox->worker, BATCH, LEASE_S, &rows);
    for (i = 0; out == SP_DONE && i < rows->nelts; i++) {
        if (sp_clock_now() - start > BATCH_TIME) {
            break;
        }
        out = send_one(ctx, outbox, &APR_ARRAY_IDX(rows, i, sp_outbox_row_t));
    }
    if (out == SP_DONE && i < rows->nelts) {
        *more = 1;
        return sp_db_worker_release(ctx, outbox->worker);
    }
    *more = out == SP_DONE && rows->nelts == BATCH;
    return out;
}
