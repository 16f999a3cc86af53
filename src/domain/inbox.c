/*
 * inbox.c - what customers answer by mail, as the mail server hands it in.
 *
 * Room: domain.
 */
#include "domain/inbox.h"

#include <apr_strings.h>

#include "db/desk.h"
#include "mail/incoming.h"
#include "util/json.h"
#include "util/log.h"

static json_t *mail_json(sp_ctx_t *ctx, const sp_incoming_t *mail)
{
    json_t *json = sp_json_object(ctx->pool);
    json_t *answers = json_array();
    int i;

    for (i = 0; i < mail->answers->nelts; i++) {
        json_array_append_new(
            answers, json_string(APR_ARRAY_IDX(mail->answers, i, const char *)));
    }
    sp_json_set_text(json, "message_id", mail->message_id);
    sp_json_set_text(json, "from", mail->from);
    sp_json_set_text(json, "subject", mail->subject);
    sp_json_set_text(json, "text", mail->text);
    json_object_set_new(json, "answers", answers);
    sp_json_set_bool(json, "automatic", mail->automatic);
    sp_json_set_bool(json, "bounce", mail->bounce);
    sp_json_set_text(json, "bounced_id", mail->bounced_id);
    sp_json_set_text(json, "bounced_to", mail->bounced_to);
    sp_json_set_text(json, "bounced_why", mail->bounced_why);
    return json;
}

sp_outcome_t sp_inbox_take(sp_ctx_t *ctx, const char *raw, apr_size_t len,
                           json_t **answer)
{
    sp_incoming_t mail;
    const char *problem = sp_incoming_parse(ctx->pool, raw, len, &mail);
    sp_outcome_t out;

    if (problem) {
        sp_log(ctx->log, SP_LOG_WARN, 383, "a mail that came in cannot be read: %s",
               problem);
        return sp_end(ctx, SP_REFUSED, "unreadable", problem);
    }
    out = sp_db_inbox_take(ctx, mail_json(ctx, &mail), answer);
    if (out == SP_DONE) {
        const char *ticket = sp_json_text(*answer, "ticket");

        sp_log(ctx->log, SP_LOG_INFO, 382, "a mail came in: %s%s%s",
               sp_json_text(*answer, "verdict"), ticket ? ", ticket " : "",
               ticket ? ticket : "");
    }
    return out;
}
