/*
 * test_stripe_read.c - Stripe's objects say the same thing here as there.
 *
 * Room: tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stripe_world.h"

#define CHARGE(status, captured, more)                                                   \
    "{\"id\":\"ch_1\",\"object\":\"charge\",\"amount\":24900,\"amount_captured\":24900," \
    "\"amount_refunded\":0,\"captured\":" captured ",\"created\":1700000000,"            \
    "\"currency\":\"usd\",\"disputed\":false,\"livemode\":false,\"status\":\"" status    \
    "\",\"payment_intent\":\"pi_1\",\"metadata\":" METADATA more "}"

#define INTENT(status, more)                                             \
    "{\"id\":\"pi_1\",\"object\":\"payment_intent\",\"amount\":24900,"   \
    "\"amount_received\":24900,\"currency\":\"usd\",\"livemode\":false," \
    "\"status\":\"" status "\",\"metadata\":" METADATA more "}"

#define SESSION(status, payment_status, more)                                  \
    "{\"id\":\"cs_1\",\"object\":\"checkout.session\",\"amount_total\":24900," \
    "\"currency\":\"usd\",\"expires_at\":1700086400,\"livemode\":false,"       \
    "\"mode\":\"payment\",\"status\":\"" status                                \
    "\",\"payment_status\":\"" payment_status                                  \
    "\",\"url\":\"https://pay.example/1\",\"metadata\":" METADATA more "}"

#define INVOICE(status, reason, more)                                             \
    "{\"id\":\"in_1\",\"object\":\"invoice\",\"amount_due\":900,"                 \
    "\"amount_paid\":900,\"attempt_count\":1,\"billing_reason\":\"" reason "\","  \
    "\"created\":1700000000,\"currency\":\"usd\",\"customer\":\"cus_1\","         \
    "\"customer_email\":\"ana@example.com\",\"livemode\":false,"                  \
    "\"hosted_invoice_url\":\"https://pay.example/in\","                          \
    "\"next_payment_attempt\":1700300000,\"lines\":{\"data\":["                   \
    "{\"period\":{\"end\":1700000000,\"start\":1699000000}},"                     \
    "{\"period\":{\"end\":1702592000,\"start\":1700000000}}]},"                   \
    "\"parent\":{\"type\":\"subscription_details\",\"subscription_details\":{"    \
    "\"metadata\":" METADATA ",\"subscription\":\"sub_1\"}},\"status\":\"" status \
    "\",\"status_transitions\":{\"paid_at\":1700000100}" more "}"

#define PAYMENTS(more)                                                     \
    ",\"payments\":{\"data\":[{\"status\":\"open\",\"payment\":{\"type\":" \
    "\"payment_intent\",\"payment_intent\":\"pi_0\"}}" more "],\"has_more\":false}"
#define PAID_BY                                                       \
    ",{\"status\":\"paid\",\"payment\":{\"type\":\"payment_intent\"," \
    "\"payment_intent\":\"pi_1\"}}"

#define SUBSCRIPTION(status, more)                                                     \
    "{\"id\":\"sub_1\",\"object\":\"subscription\",\"created\":1700000000,"            \
    "\"customer\":\"cus_1\",\"items\":{\"data\":[{\"current_period_end\":1702592000,"  \
    "\"current_period_start\":1700000000}]},\"livemode\":false,\"metadata\":" METADATA \
    ",\"status\":\"" status "\"" more "}"

static world_t world;
static sp_fact_t *fact;

static int start(void **state)
{
    (void)state;
    world_start(&world);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    apr_pool_destroy(world.pool);
    return 0;
}

static const char *read_as(sp_stripe_take_fn take, const char *text)
{
    sp_stripe_reader_t reader = sp_stripe_reader(&world.ctx);
    sp_slice_t body = { text, strlen(text) };

    fact = NULL;
    return sp_stripe_read(&reader, &body, take, &fact);
}

static void a_charge_counts_only_once_it_is_captured(void **state)
{
    static const struct {
        const char *text;
        sp_fact_kind_t kind;
    } cases[] = {
        { CHARGE("succeeded", "true", ""), SP_FACT_PAYMENT_SUCCEEDED },
        { CHARGE("succeeded", "false", ""), SP_FACT_PAYMENT_PROCESSING },
        { CHARGE("succeeded", "false", ",\"refunded\":true"), SP_FACT_PAYMENT_VOID },
        { CHARGE("pending", "false", ""), SP_FACT_PAYMENT_PROCESSING },
        { CHARGE("failed", "false", ""), SP_FACT_PAYMENT_FAILED },
        { CHARGE("brand_new_word", "true", ""), SP_FACT_IGNORED },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(read_as(sp_stripe_take_charge, cases[i].text));
        assert_int_equal(fact->kind, cases[i].kind);
    }
}

#define HELD                                                          \
    "{\"id\":\"ch_1\",\"object\":\"charge\",\"amount\":24900,"        \
    "\"amount_captured\":0,\"amount_refunded\":0,\"captured\":false," \
    "\"created\":1700000000,\"currency\":\"usd\",\"livemode\":false," \
    "\"payment_intent\":\"pi_1\",\"status\":\"succeeded\","           \
    "\"payment_method_details\":{\"type\":\"card\",\"card\":{"        \
    "\"capture_before\":1700604800}}}"

/* What is held is worth what was asked for, since then, for so long. */
static void what_is_held_tells_how_long(void **state)
{
    (void)state;
    assert_null(read_as(sp_stripe_take_intent,
                        INTENT("requires_capture", ",\"latest_charge\":" HELD)));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_AUTHORISED);
    assert_int_equal(fact->amount.minor, 24900);
    assert_int_equal(apr_time_sec(fact->paid_at), 1700000000);
    assert_int_equal(apr_time_sec(fact->hold_until), 1700604800);
}

/* Stripe counts what was reserved and not taken as refunded; nothing went back. */
static void what_was_never_taken_was_not_refunded(void **state)
{
    (void)state;
    assert_null(read_as(
        sp_stripe_take_charge,
        "{\"id\":\"ch_1\",\"amount\":24900,\"amount_captured\":20000,"
        "\"amount_refunded\":5900,\"captured\":true,\"created\":1,"
        "\"currency\":\"usd\",\"livemode\":false,\"status\":\"succeeded\"}"));
    assert_int_equal(fact->amount.minor, 20000);
    assert_int_equal(fact->amount_refunded, 1000);
}

/* Seconds that are more than microseconds can hold: found by t/fuzz/. */
static void a_moment_has_a_date(void **state)
{
    (void)state;
    assert_non_null(
        read_as(sp_stripe_take_event,
                "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"x.y\","
                "\"livemode\":false,\"data\":{\"object\":{}},"
                "\"created\":17911791199883}"));
    assert_non_null(
        read_as(sp_stripe_take_event,
                "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"x.y\","
                "\"livemode\":false,\"data\":{\"object\":{}},"
                "\"created\":-1}"));
    assert_null(read_as(sp_stripe_take_event,
                        "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"x.y\","
                        "\"livemode\":false,\"data\":{\"object\":{}},"
                        "\"created\":253402300799}"));
}

static void a_charge_tells_everything(void **state)
{
    (void)state;
    assert_null(read_as(
        sp_stripe_take_charge,
        CHARGE(
            "succeeded", "true",
            ",\"billing_details\":{\"email\":\"Ana@Example.com\",\"name\":\"Ana\\nB\"},"
            "\"payment_method_details\":{\"type\":\"card\",\"card\":{\"brand\":\"visa\","
            "\"last4\":\"4242\"}},\"calculated_statement_descriptor\":\"SHOP* SP1\","
            "\"customer\":{\"id\":\"cus_1\",\"deleted\":true},"
            "\"receipt_url\":\"https://r.example\"")));
    assert_string_equal(fact->provider, "stripe");
    assert_string_equal(fact->mode, "test");
    assert_string_equal(fact->payment_id, "pi_1");
    assert_string_equal(fact->charge_id, "ch_1");
    assert_string_equal(fact->customer_id, "cus_1");
    assert_string_equal(fact->email, "Ana@Example.com");
    assert_string_equal(fact->name, "Ana B");
    assert_string_equal(fact->card_brand, "visa");
    assert_string_equal(fact->card_last4, "4242");
    assert_string_equal(fact->statement, "SHOP* SP1");
    assert_int_equal(fact->amount.minor, 24900);
    assert_string_equal(fact->amount.currency, "USD");
    assert_int_equal(apr_time_sec(fact->paid_at), 1700000000);
    assert_true(fact->ours);
    assert_string_equal(fact->order_id, ORDER);
    assert_string_equal(fact->reference, "SP-4KTM-9XQ7");
    assert_string_equal(fact->product, "annual");
    assert_int_equal(fact->price.minor, 24900);
    assert_string_equal(fact->price.currency, "USD");
    assert_string_equal(fact->period, "1y");
    assert_int_equal(fact->credits, 10);
    assert_string_equal(fact->token_hash, HASH);
}

/* Its charge was made days before: nobody shall get an apology for that. */
static void a_bank_debit_does_not_say_when_it_succeeded(void **state)
{
    (void)state;
    assert_null(
        read_as(sp_stripe_take_charge,
                CHARGE("succeeded", "true",
                       ",\"payment_method_details\":{\"type\":\"sepa_debit\"}")));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_SUCCEEDED);
    assert_int_equal(fact->paid_at, 0);
}

static void an_intent_is_what_its_status_says(void **state)
{
    static const struct {
        const char *text;
        sp_fact_kind_t kind;
    } cases[] = {
        { INTENT("succeeded", ""), SP_FACT_PAYMENT_SUCCEEDED },
        { INTENT("processing", ""), SP_FACT_PAYMENT_PROCESSING },
        { INTENT("requires_capture", ""), SP_FACT_PAYMENT_AUTHORISED },
        { INTENT("canceled", ""), SP_FACT_PAYMENT_VOID },
        { INTENT("requires_action", ""), SP_FACT_CHECKOUT_OPEN },
        { INTENT("requires_payment_method", ""), SP_FACT_CHECKOUT_OPEN },
        { INTENT("requires_payment_method",
                 ",\"last_payment_error\":{\"type\":\"card_error\","
                 "\"code\":\"card_declined\",\"decline_code\":\"lost_card\"}"),
          SP_FACT_PAYMENT_FAILED },
        { INTENT("brand_new_word", ""), SP_FACT_CHECKOUT_OPEN },
        { INTENT("canceled", ",\"cancellation_reason\":\"automatic\""),
          SP_FACT_PAYMENT_VOID },
        { INTENT("canceled", ",\"cancellation_reason\":\"abandoned\""),
          SP_FACT_CHECKOUT_EXPIRED },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(read_as(sp_stripe_take_intent, cases[i].text));
        assert_int_equal(fact->kind, cases[i].kind);
        assert_string_equal(fact->payment_id, "pi_1");
    }
    assert_null(read_as(sp_stripe_take_intent, cases[6].text));
    assert_string_equal(fact->failure, "lost_card");
}

static void a_session_is_paid_only_when_it_says_paid(void **state)
{
    static const struct {
        const char *text;
        sp_fact_kind_t kind;
    } cases[] = {
        { SESSION("complete", "paid", ",\"payment_intent\":\"pi_1\""),
          SP_FACT_PAYMENT_SUCCEEDED },
        { SESSION("complete", "unpaid", ",\"payment_intent\":\"pi_1\""),
          SP_FACT_PAYMENT_PROCESSING },
        { SESSION("complete", "brand_new_word", ",\"payment_intent\":\"pi_1\""),
          SP_FACT_PAYMENT_PROCESSING },
        { SESSION("complete", "no_payment_required", ""),
          SP_FACT_PAYMENT_SUCCEEDED },
        { SESSION("open", "no_payment_required", ""), SP_FACT_CHECKOUT_OPEN },
        { SESSION("open", "unpaid", ""), SP_FACT_CHECKOUT_OPEN },
        { SESSION("expired", "unpaid", ""), SP_FACT_CHECKOUT_EXPIRED },
        { SESSION("brand_new_word", "unpaid", ""), SP_FACT_CHECKOUT_OPEN },
        { SESSION("complete", "unpaid",
                  ",\"payment_intent\":" INTENT("canceled", "")),
          SP_FACT_PAYMENT_VOID },
        { SESSION("complete", "unpaid",
                  ",\"payment_intent\":" INTENT("processing", "")),
          SP_FACT_PAYMENT_PROCESSING },
        { SESSION("complete", "unpaid",
                  ",\"payment_intent\":" INTENT("requires_capture", "")),
          SP_FACT_PAYMENT_AUTHORISED },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(read_as(sp_stripe_take_session, cases[i].text));
        assert_int_equal(fact->kind, cases[i].kind);
        assert_string_equal(fact->checkout_id, "cs_1");
    }
    assert_null(read_as(sp_stripe_take_session, cases[3].text));
    assert_string_equal(fact->payment_id, "cs_1");
    assert_null(read_as(sp_stripe_take_session, cases[5].text));
    assert_string_equal(fact->checkout_url, "https://pay.example/1");
    assert_null(read_as(sp_stripe_take_session, cases[6].text));
    assert_null(fact->checkout_url);
}

static void an_expanded_session_tells_card_and_statement(void **state)
{
    (void)state;
    assert_null(read_as(
        sp_stripe_take_session,
        SESSION("complete", "paid",
                ",\"customer_email\":\"filled@example.com\","
                "\"customer_details\":{\"email\":\"typed@example.com\"},"
                "\"payment_intent\":" INTENT(
                    "succeeded",
                    ",\"latest_charge\":" CHARGE(
                        "succeeded", "true",
                        ",\"calculated_statement_descriptor\":\"SHOP* SP1\"")))));
    assert_string_equal(fact->payment_id, "pi_1");
    assert_string_equal(fact->charge_id, "ch_1");
    assert_string_equal(fact->statement, "SHOP* SP1");
    assert_string_equal(fact->email, "typed@example.com");
    assert_int_equal(apr_time_sec(fact->paid_at), 1700000000);
}

static void sessions_of_other_programs_are_ignored(void **state)
{
    (void)state;
    assert_null(
        read_as(sp_stripe_take_session,
                "{\"id\":\"cs_2\",\"livemode\":true,\"mode\":\"subscription\","
                "\"payment_status\":\"paid\",\"status\":\"complete\"}"));
    assert_int_equal(fact->kind, SP_FACT_IGNORED);
    assert_string_equal(fact->mode, "live");
}

static void our_own_id_is_found_without_metadata(void **state)
{
    (void)state;
    assert_null(read_as(sp_stripe_take_session,
                        "{\"id\":\"cs_2\",\"livemode\":false,\"mode\":\"payment\","
                        "\"payment_status\":\"unpaid\",\"status\":\"open\","
                        "\"client_reference_id\":\"" ORDER "\"}"));
    assert_string_equal(fact->order_id, ORDER);
    assert_false(fact->ours);
}

/* Metadata that a person edited: what is not as we wrote it counts as absent. */
static void edited_metadata_is_not_trusted(void **state)
{
    static const char *const amounts[] = { "24900.0 USD", "24900",
                                           "USD 24900",   "24900 usd",
                                           "-1 USD",      "24900  USD",
                                           "24900 USDX",  "9999999999999999 USD" };
    const char *text = CHARGE("succeeded", "true", "");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(amounts) / sizeof(*amounts); i++) {
        const char *at = strstr(text, "24900 USD");

        assert_null(read_as(sp_stripe_take_charge,
                            apr_psprintf(world.pool, "%.*s%s%s", (int)(at - text),
                                         text, amounts[i], at + 9)));
        assert_int_equal(fact->price.minor, 0);
        assert_true(fact->ours);
    }
    assert_null(read_as(
        sp_stripe_take_charge,
        "{\"id\":\"ch_1\",\"amount\":1,\"amount_refunded\":0,\"captured\":true,"
        "\"created\":1,\"currency\":\"usd\",\"livemode\":false,"
        "\"status\":\"succeeded\",\"metadata\":{\"subpay_order\":\"x\","
        "\"subpay_site\":\"" SITE "\"}}"));
    assert_null(fact->order_id);
    assert_false(fact->ours);
    assert_string_equal(fact->payment_id, "ch_1");
}

static void another_shop_on_the_account_is_not_ours(void **state)
{
    (void)state;
    world.settings.base_url = "https://other.example";
    assert_null(read_as(sp_stripe_take_charge, CHARGE("succeeded", "true", "")));
    assert_false(fact->ours);
    assert_string_equal(fact->order_id, ORDER);
    world.settings.base_url = SITE;
}

static void an_address_nobody_can_mail_to_is_no_address(void **state)
{
    (void)state;
    assert_null(read_as(
        sp_stripe_take_charge,
        CHARGE("succeeded", "true",
               ",\"billing_details\":{\"email\":\"a@b.example\\r\\nBcc: c\"},"
               "\"receipt_email\":\"ana@example.com\"")));
    assert_string_equal(fact->email, "ana@example.com");
}

static void refunds_and_disputes_have_our_words(void **state)
{
    static const char *const words[][2] = {
        { "succeeded", "succeeded" },     { "pending", "pending" },
        { "requires_action", "pending" }, { "failed", "failed" },
        { "canceled", "cancelled" },      { "brand_new_word", "pending" }
    };
    static const char *const cases[][2] = { { "needs_response", "open" },
                                            { "under_review", "under_review" },
                                            { "won", "won" },
                                            { "lost", "lost" },
                                            { "warning_needs_response", "warning" },
                                            { "warning_closed", "closed" },
                                            { "brand_new_word", "open" } };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
        assert_null(read_as(
            sp_stripe_take_refund,
            apr_pstrcat(world.pool,
                        "{\"id\":\"re_1\",\"amount\":500,\"currency\":\"eur\","
                        "\"charge\":\"ch_1\",\"payment_intent\":null,"
                        "\"status\":\"",
                        words[i][0], "\"}", NULL)));
        assert_int_equal(fact->kind, SP_FACT_REFUND);
        assert_string_equal(fact->status, words[i][1]);
        assert_string_equal(fact->payment_id, "ch_1");
        assert_string_equal(fact->amount.currency, "EUR");
        assert_null(fact->bank_reference);
    }
    assert_null(read_as(sp_stripe_take_refund,
                        "{\"id\":\"re_1\",\"amount\":500,\"currency\":\"eur\","
                        "\"charge\":\"ch_1\",\"destination_details\":{\"card\":"
                        "{\"reference\":\"7462\",\"type\":\"refund\"}}}"));
    assert_string_equal(fact->bank_reference, "7462");
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(read_as(
            sp_stripe_take_dispute,
            apr_pstrcat(
                world.pool,
                "{\"id\":\"du_1\",\"amount\":500,\"currency\":\"eur\","
                "\"livemode\":true,\"payment_intent\":\"pi_1\",\"reason\":\"general\","
                "\"evidence_details\":{\"due_by\":1700000000},\"status\":\"",
                cases[i][0], "\"}", NULL)));
        assert_int_equal(fact->kind, SP_FACT_DISPUTE);
        assert_string_equal(fact->status, cases[i][1]);
        assert_int_equal(fact->waits, strstr(cases[i][0], "needs_response") != NULL);
        assert_int_equal(apr_time_sec(fact->due_by), 1700000000);
    }
}

static void a_fraud_warning_names_its_payment(void **state)
{
    (void)state;
    assert_null(
        read_as(sp_stripe_take_warning,
                "{\"id\":\"issfr_1\",\"actionable\":true,\"charge\":\"ch_1\","
                "\"fraud_type\":\"misc\",\"livemode\":false,"
                "\"payment_intent\":\"pi_1\"}"));
    assert_int_equal(fact->kind, SP_FACT_WARNING);
    assert_string_equal(fact->dispute_id, "issfr_1");
    assert_string_equal(fact->payment_id, "pi_1");
    assert_string_equal(fact->status, "actionable");
    assert_string_equal(fact->reason, "misc");
    assert_string_equal(sp_fact_kind_word(fact->kind), "warning");
    assert_null(read_as(sp_stripe_take_warning,
                        "{\"id\":\"issfr_1\",\"actionable\":false,\"charge\":"
                        "{\"id\":\"ch_1\"},\"livemode\":true}"));
    assert_string_equal(fact->status, "closed");
    assert_string_equal(fact->payment_id, "ch_1");
    assert_non_null(read_as(sp_stripe_take_warning, "{\"id\":\"issfr_1\"}"));
}

static void what_makes_no_sense_is_unreadable(void **state)
{
    static const char *const bad[] = {
        CHARGE("succeeded", "true", ",\"receipt_url\":\"\\u0000\""),
        CHARGE("succeeded", "true", ",\"amount\":1"),
        CHARGE("succeeded", "1", ""),
        CHARGE("succeeded", "true", ",\"billing_details\":[]"),
        "{\"id\":\"ch_1\"}",
        "[]",
        "",
    };
    static const char *const numbers[] = {
        "24900.0", "2.49e4", "\"24900\"", "-1", "92233720368547758070", "null"
    };
    const char *text = CHARGE("succeeded", "true", "");
    const char *at = strstr(text, "24900,\"amount_refunded");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_non_null(read_as(sp_stripe_take_charge, bad[i]));
    }
    for (i = 0; i < sizeof(numbers) / sizeof(*numbers) - 1; i++) {
        assert_non_null(
            read_as(sp_stripe_take_charge,
                    apr_psprintf(world.pool, "%.*s%s%s", (int)(at - text), text,
                                 numbers[i], at + 5)));
    }
    assert_non_null(
        read_as(sp_stripe_take_session, SESSION("complete", "paid", "")));
    assert_non_null(read_as(sp_stripe_take_session,
                            SESSION("complete", "paid", ",\"payment_intent\":7")));
    assert_non_null(
        read_as(sp_stripe_take_session,
                SESSION("complete", "paid", ",\"payment_intent\":\"pi_\\u0000\"")));
}

static void an_id_is_found_in_what_cannot_be_read(void **state)
{
    static const char *const texts[] = { "{\"id\":\"evt_1\",\"created\":1.5}",
                                         "{\"id\":\"evt_1\",\"x\":[",
                                         "{\"id\":\"evt_1\"" };
    sp_slice_t bytes;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        bytes.data = texts[i];
        bytes.len = strlen(texts[i]);
        assert_string_equal(sp_stripe_find_id(world.pool, &bytes), "evt_1");
    }
    bytes.data = "{\"id\":\"../../etc\"}";
    bytes.len = strlen(bytes.data);
    assert_null(sp_stripe_find_id(world.pool, &bytes));
}

static void keys_must_fit_the_environment(void **state)
{
    const char *(*problem)(apr_pool_t *, const char *, const char *) =
        sp_provider_stripe.key_problem;
    static const char *const bad[] = { "sk_live_canary",  "rk_live_canary",
                                       "pk_test_canary",  "whsec_canary",
                                       "sk_test_",        "sk_test",
                                       "canary",          "",
                                       "sk_test_can ary", "sk_testcanary" };
    size_t i;

    (void)state;
    assert_null(problem(world.pool, "sk_test_canary", "test"));
    assert_null(problem(world.pool, "rk_live_canary", "live"));
    assert_non_null(problem(world.pool, "sk_test_canary", "live"));
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const char *why = problem(world.pool, bad[i], "test");

        assert_non_null(why);
        assert_null(strstr(why, "canary"));
    }
}

/* ---- plans that renew -------------------------------------------------------------- */

static void a_paid_invoice_is_a_period(void **state)
{
    (void)state;
    assert_null(read_as(sp_stripe_take_invoice,
                        INVOICE("paid", "subscription_cycle", PAYMENTS(PAID_BY))));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_string_equal(fact->invoice_id, "in_1");
    assert_string_equal(fact->renewal_id, "sub_1");
    assert_string_equal(fact->payment_id, "pi_1");
    assert_string_equal(fact->order_id, ORDER);
    assert_true(fact->ours);
    assert_false(fact->is_first);
    assert_int_equal(fact->amount.minor, 900);
    /* The line that reaches furthest; others settle what was before. */
    assert_int_equal(apr_time_sec(fact->period_start), 1700000000);
    assert_int_equal(apr_time_sec(fact->period_end), 1702592000);
    assert_int_equal(apr_time_sec(fact->paid_at), 1700000100);
    assert_string_equal(fact->email, "ana@example.com");
}

/* As webhooks have it: which payment it was is not said, and nothing is guessed. */
static void an_invoice_without_its_payments_names_none(void **state)
{
    (void)state;
    assert_null(
        read_as(sp_stripe_take_invoice, INVOICE("paid", "subscription_create", "")));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_true(fact->is_first);
    assert_null(fact->payment_id);
    /* Settled in another way than by a payment: it stands for itself. */
    assert_null(read_as(sp_stripe_take_invoice,
                        INVOICE("paid", "subscription_cycle",
                                ",\"payments\":{\"data\":[],\"has_more\":false}")));
    assert_string_equal(fact->payment_id, "in_1");
}

static void an_unpaid_invoice_is_what_became_of_it(void **state)
{
    static const struct {
        const char *text;
        sp_fact_kind_t kind;
    } cases[] = {
        { INVOICE("open", "subscription_cycle", ""), SP_FACT_PERIOD_FAILED },
        { INVOICE("open", "subscription_create", ""), SP_FACT_IGNORED },
        { INVOICE("draft", "subscription_cycle", ""), SP_FACT_IGNORED },
        { INVOICE("void", "subscription_cycle", ""), SP_FACT_IGNORED },
        { INVOICE("brand_new_word", "subscription_cycle", ""), SP_FACT_IGNORED },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(read_as(sp_stripe_take_invoice, cases[i].text));
        assert_int_equal(fact->kind, cases[i].kind);
    }
    assert_null(read_as(sp_stripe_take_invoice, cases[0].text));
    assert_int_equal(fact->tries, 1);
    assert_int_equal(apr_time_sec(fact->next_try), 1700300000);
    assert_string_equal(fact->pay_url, "https://pay.example/in");
}

/* An endpoint that is pinned to a version before basil. */
static void an_old_invoice_names_its_subscription_on_top(void **state)
{
    (void)state;
    assert_null(read_as(
        sp_stripe_take_invoice,
        "{\"id\":\"in_1\",\"amount_due\":900,\"amount_paid\":900,\"created\":1700000000,"
        "\"currency\":\"usd\",\"livemode\":false,\"status\":\"paid\","
        "\"billing_reason\":\"subscription_cycle\",\"subscription\":\"sub_1\","
        "\"subscription_details\":{\"metadata\":" METADATA
        "},\"lines\":{\"data\":[{\"period\":{\"start\":1,\"end\":2}}]}}"));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_string_equal(fact->renewal_id, "sub_1");
    assert_string_equal(fact->order_id, ORDER);
}

static void an_invoice_for_no_time_is_unreadable(void **state)
{
    (void)state;
    assert_non_null(read_as(sp_stripe_take_invoice,
                            "{\"id\":\"in_1\",\"amount_due\":1,\"amount_paid\":1,"
                            "\"created\":1,\"currency\":\"usd\",\"livemode\":false,"
                            "\"status\":\"paid\",\"subscription\":\"sub_1\"}"));
}

static void a_subscription_says_whether_it_charges_again(void **state)
{
    static const struct {
        const char *text;
        const char *state; /* NULL: of no interest */
    } cases[] = {
        { SUBSCRIPTION("active", ""), "active" },
        { SUBSCRIPTION("trialing", ""), "active" },
        { SUBSCRIPTION("past_due", ""), "active" },
        { SUBSCRIPTION("active", ",\"cancel_at_period_end\":true"), "stopping" },
        { SUBSCRIPTION("active", ",\"cancel_at\":1702592000"), "stopping" },
        { SUBSCRIPTION("active", ",\"cancel_at\":1902592000"), "active" },
        { SUBSCRIPTION("unpaid", ""), "active" }, /* nobody has stopped it */
        { SUBSCRIPTION("unpaid", ",\"cancel_at_period_end\":true"), "stopping" },
        { SUBSCRIPTION("paused", ""), "active" },
        { SUBSCRIPTION("paused", ",\"cancel_at\":1702592000"), "stopping" },
        { SUBSCRIPTION("canceled", ",\"cancel_at_period_end\":true"), "ended" },
        { SUBSCRIPTION("incomplete_expired", ""), "ended" },
        { SUBSCRIPTION("brand_new_word", ""), NULL },
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_null(read_as(sp_stripe_take_subscription, cases[i].text));
        if (!cases[i].state) {
            assert_int_equal(fact->kind, SP_FACT_IGNORED);
            continue;
        }
        assert_int_equal(fact->kind, SP_FACT_RENEWAL);
        assert_string_equal(fact->status, cases[i].state);
        assert_string_equal(fact->renewal_id, "sub_1");
        assert_int_equal(apr_time_sec(fact->period_end), 1702592000);
    }
}

/* The page of a plan that renews tells its invoice, and not its payment. */
static void a_subscription_page_is_its_first_period(void **state)
{
    const char *const page =
        "{\"id\":\"cs_1\",\"amount_total\":900,\"currency\":\"usd\",\"livemode\":false,"
        "\"mode\":\"subscription\",\"status\":\"%s\",\"payment_status\":\"%s\","
        "\"client_reference_id\":\"%s\",\"invoice\":\"in_1\","
        "\"subscription\":\"sub_1\",\"metadata\":" METADATA "}";

    (void)state;
    assert_null(read_as(sp_stripe_take_session,
                        apr_psprintf(world.pool, page, "complete", "paid", ORDER)));
    assert_int_equal(fact->kind, SP_FACT_PERIOD_PAID);
    assert_string_equal(fact->invoice_id, "in_1");
    assert_string_equal(fact->renewal_id, "sub_1");
    assert_null(fact->payment_id);
    assert_true(fact->is_first);
    assert_null(read_as(sp_stripe_take_session,
                        apr_psprintf(world.pool, page, "open", "unpaid", ORDER)));
    assert_int_equal(fact->kind, SP_FACT_CHECKOUT_OPEN);
    assert_null(
        read_as(sp_stripe_take_session,
                apr_psprintf(world.pool, page, "complete", "unpaid", ORDER)));
    assert_int_equal(fact->kind, SP_FACT_PAYMENT_PROCESSING);
    /* Of some other program in this account. */
    assert_null(
        read_as(sp_stripe_take_session,
                apr_psprintf(world.pool, page, "complete", "paid", "theirs")));
    assert_int_equal(fact->kind, SP_FACT_IGNORED);
}

static void a_period_is_told_in_stripes_words(void **state)
{
    static const struct {
        const char *period, *interval, *count;
    } cases[] = { { "1mo", "month", "1" }, { "3mo", "month", "3" },
                  { "1y", "year", "1" },   { "2w", "week", "2" },
                  { "30d", "day", "30" },  { "4y", NULL, NULL },
                  { "37mo", NULL, NULL },  { NULL, NULL, NULL } };
    const char *count;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *interval =
            sp_stripe_interval(world.pool, cases[i].period, &count);

        if (!cases[i].interval) {
            assert_null(interval);
            continue;
        }
        assert_string_equal(interval, cases[i].interval);
        assert_string_equal(count, cases[i].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paid_invoice_is_a_period),
        cmocka_unit_test(an_invoice_without_its_payments_names_none),
        cmocka_unit_test(an_unpaid_invoice_is_what_became_of_it),
        cmocka_unit_test(an_old_invoice_names_its_subscription_on_top),
        cmocka_unit_test(an_invoice_for_no_time_is_unreadable),
        cmocka_unit_test(a_subscription_says_whether_it_charges_again),
        cmocka_unit_test(a_subscription_page_is_its_first_period),
        cmocka_unit_test(a_period_is_told_in_stripes_words),
        cmocka_unit_test(a_charge_counts_only_once_it_is_captured),
        cmocka_unit_test(what_is_held_tells_how_long),
        cmocka_unit_test(what_was_never_taken_was_not_refunded),
        cmocka_unit_test(a_moment_has_a_date),
        cmocka_unit_test(a_charge_tells_everything),
        cmocka_unit_test(a_bank_debit_does_not_say_when_it_succeeded),
        cmocka_unit_test(an_intent_is_what_its_status_says),
        cmocka_unit_test(a_session_is_paid_only_when_it_says_paid),
        cmocka_unit_test(an_expanded_session_tells_card_and_statement),
        cmocka_unit_test(sessions_of_other_programs_are_ignored),
        cmocka_unit_test(our_own_id_is_found_without_metadata),
        cmocka_unit_test(edited_metadata_is_not_trusted),
        cmocka_unit_test(another_shop_on_the_account_is_not_ours),
        cmocka_unit_test(an_address_nobody_can_mail_to_is_no_address),
        cmocka_unit_test(refunds_and_disputes_have_our_words),
        cmocka_unit_test(a_fraud_warning_names_its_payment),
        cmocka_unit_test(what_makes_no_sense_is_unreadable),
        cmocka_unit_test(an_id_is_found_in_what_cannot_be_read),
        cmocka_unit_test(keys_must_fit_the_environment),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
