/*
 * ticket.c - what customers write to us.
 *
 * Room: domain.
 */
#include "domain/ticket.h"

#include <string.h>

#include "domain/account.h"
#include "util/crypto.h"
#include "util/reference.h"
#include "util/text.h"

/* Bytes; the form says the same in letters. More would be a file. */
#define LONGEST 20000

static sp_outcome_t check_message(sp_ctx_t *ctx, const sp_message_in_t *message)
{
    const char *problem = message->email ? sp_text_email_problem(message->email)
                                         : "Enter an e-mail address, like "
                                           "name@example.com.";

    if (problem) {
        return sp_end(ctx, SP_REFUSED, "bad_email", problem);
    }
    if (!message->message || strlen(message->message) > LONGEST) {
        return sp_end(ctx, SP_REFUSED, "bad_message",
                      message->message
                          ? "This is longer than we can take. Shorten it a little."
                          : "Tell us what happened, in a few words.");
    }
    return SP_DONE;
}

static const char *one_of_the_answers(const char *charged)
{
    return charged && (!strcmp(charged, "yes") || !strcmp(charged, "no") ||
                       !strcmp(charged, "unsure"))
               ? charged
               : NULL;
}

sp_outcome_t sp_ticket_write(sp_ctx_t *ctx, const sp_message_in_t *message,
                             sp_ticket_t *ticket)
{
    unsigned char hash[SP_HASH_SIZE];
    sp_letter_in_t letter = { .email = message->email,
                              .body = message->message,
                              .charged = one_of_the_answers(message->charged) };
    sp_outcome_t out = check_message(ctx, message);

    if (out != SP_DONE) {
        return out;
    }
    /* Every message has a key: the call may be repeated after a lost connection. */
    letter.form_key =
        message->form_key ? message->form_key : sp_crypto_uuid(ctx->pool);
    if (!message->reference ||
        !sp_reference_parse(ctx->pool, message->reference, &letter.reference)) {
        letter.reference = NULL;
    }
    if (message->token && sp_account_hash(message->token, hash)) {
        letter.token_hash = hash;
    }
    return sp_db_ticket_write(ctx, &letter, ticket);
}

apr_time_t sp_ticket_answer_by(sp_ctx_t *ctx)
{
    apr_time_t at;

    return sp_db_support_turn(ctx, &at) == SP_DONE ? at : 0;
}
