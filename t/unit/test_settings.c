/*
 * test_settings.c - what an admin writes is what we do, or they are told why not.
 *
 * t/configtest.t asks httpd itself about wrong directives; here is what httpd's own
 * reading hides: words, defaults, and the configuration file read without httpd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfg/providers.h"
#include "cfg/settings.h"
#include "cfg/settings_read.h"

static apr_pool_t *pool;
static const char *folder;

static const char *set(sp_settings_t *settings, const char *name, const char *args)
{
    return sp_settings_set(pool, settings, name, args);
}

static sp_settings_t *fresh(void)
{
    return sp_settings_create(pool, sp_provider_builtin);
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = apr_pstrcat(pool, folder, "/", name, NULL);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

/* A shop in one file, with this in front of it. */
static const char *write_shop(const char *name, const char *more)
{
    return write_file(name, apr_pstrcat(pool, more,
                                        "\nSubPayBaseURL https://shop.example.com/\n"
                                        "SubPaySupportEmail help@shop.example.com\n"
                                        "SubPayProviderKey stripe file:",
                                        folder,
                                        "/key\n"
                                        "<SubPayProduct annual>\n"
                                        "    SubPayPrice 249.00 USD\n"
                                        "    SubPayPeriod 1y\n"
                                        "</SubPayProduct>\n",
                                        NULL));
}

static sp_settings_t *read_shop(const char *path)
{
    sp_settings_t *settings;
    const char *error = NULL;
    apr_status_t rv = sp_settings_read_file(pool, path, &settings, &error);

    if (rv != APR_SUCCESS) {
        fail_msg("%s", error);
    }
    return settings;
}

static const char *refusal(const char *path)
{
    sp_settings_t *settings;
    const char *error = NULL;

    assert_int_not_equal(sp_settings_read_file(pool, path, &settings, &error),
                         APR_SUCCESS);
    assert_non_null(error);
    return error;
}

static void assert_says(const char *text, const char *words)
{
    if (!text || !strstr(text, words)) {
        fail_msg("no \"%s\" in: %s", words, text ? text : "(nothing)");
    }
}

static void words_are_split_as_httpd_does(void **state)
{
    (void)state;
    assert_string_equal(sp_words_join(pool, "  a   b "), "a b");
    assert_string_equal(sp_words_join(pool, "\"a  b\" c"), "a  b c");
    assert_string_equal(sp_words_join(pool, "'it is \"so\"'"), "it is \"so\"");
    assert_string_equal(sp_words_join(pool, "\"say \\\"so\\\" \\\\\""),
                        "say \"so\" \\");
    assert_string_equal(sp_words_join(pool, ""), "");
    assert_string_equal(sp_words_join(pool, "\"never closed"), "never closed");
}

static void every_default_is_a_value_that_could_be_written(void **state)
{
    sp_settings_t *settings = fresh();

    (void)state;
    assert_string_equal(settings->environment, "test");
    assert_string_equal(settings->provider, "stripe");
    assert_true(settings->reconcile_interval == apr_time_from_sec(60));
    assert_true(settings->reconcile_overlap == apr_time_from_sec(600));
    assert_true(settings->deep_sweep == apr_time_from_sec(72 * 3600));
    assert_true(settings->pending_expiry == apr_time_from_sec(86400));
    assert_int_equal(settings->goodwill_days, 7);
    assert_int_equal(settings->worker, 1);
    assert_string_equal(settings->database, "dbname=subpay");
    assert_null(settings->base_url);
    assert_int_equal(settings->given, 0);
}

static void durations_have_a_unit_or_are_seconds(void **state)
{
    static const struct {
        const char *text;
        int seconds;
    } good[] = { { "90", 90 },   { "90s", 90 },    { "10m", 600 },
                 { "2h", 7200 }, { "3d", 259200 }, { "0", 0 } };
    static const char *const bad[] = {
        "", "soon", "-1", "1.5h", "10 m", "10min", "1w", "0x5", "1e3", "9999999999d"
    };
    sp_settings_t *settings = fresh();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(set(settings, "SubPayDuplicateWindow", good[i].text));
        assert_true(settings->duplicate_window ==
                    apr_time_from_sec(good[i].seconds));
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_says(set(settings, "SubPayDuplicateWindow", bad[i]), "such as 60s");
    }
}

static void a_refusal_shows_no_control_characters_and_no_secret(void **state)
{
    sp_settings_t *settings = fresh();
    const char *said = set(settings, "SubPayWorker", "\"a\x1b[31m\"");

    (void)state;
    assert_says(said, "SubPayWorker \"a?[31m\": write on or off");
    said = set(settings, "SubPayProviderKey", "stripe sk_live_canary");
    assert_says(said, "SubPayProviderKey: write file:/path or env:NAME");
    assert_null(strstr(said, "canary"));
    said = set(settings, "SubPayMailLogin", "me:canary");
    assert_says(said, "SubPayMailLogin: write file:/path");
    assert_null(strstr(said, "canary"));
}

static void addresses_lose_their_last_slash(void **state)
{
    sp_settings_t *settings = fresh();

    (void)state;
    assert_null(set(settings, "SubPayBaseURL", "https://shop.example.com/pay/"));
    assert_string_equal(settings->base_url, "https://shop.example.com/pay");
    assert_null(set(settings, "SubPayProviderURL", "stripe http://127.0.0.1:1/"));
    assert_string_equal(sp_settings_account(settings, "stripe")->url,
                        "http://127.0.0.1:1");
}

static void plain_http_is_for_this_machine(void **state)
{
    (void)state;
    assert_false(sp_url_is_plain(pool, "https://a.example"));
    assert_false(sp_url_is_plain(pool, "http://127.0.0.1:8080/x"));
    assert_false(sp_url_is_plain(pool, "http://[::1]:8080/"));
    assert_false(sp_url_is_plain(pool, "http://localhost"));
    assert_true(sp_url_is_plain(pool, "http://a.example"));
    assert_true(sp_url_is_plain(pool, "http://localhost.a.example"));
    assert_true(sp_url_is_plain(pool, "http://127.0.0.1.a.example"));
}

static void a_file_is_read_as_httpd_reads_it(void **state)
{
    sp_settings_t *settings;
    const sp_product_t *product;

    (void)state;
    settings =
        read_shop(write_shop("shop.conf", "# a comment with SubPayWorker off\n"
                                          "Listen 80\n"
                                          "subpaygoodwill 3\n"
                                          "SubPayAppName \\\n  \"Fern Street\"\n"
                                          "<Location /x>\n"
                                          "  Require all granted\n"
                                          "</Location>\n"));
    assert_int_equal(settings->worker, 1);
    assert_int_equal(settings->goodwill_days, 3);
    assert_string_equal(settings->app_name, "Fern Street");
    assert_string_equal(settings->app_url, "https://shop.example.com");
    assert_string_equal(settings->mode, "test");
    product = sp_settings_product(settings, "annual");
    assert_non_null(product);
    assert_true(product->price.minor == 24900);
    assert_string_equal(product->period, "1y");
    assert_string_equal(product->title, "annual");
    assert_null(sp_settings_product(settings, "monthly"));
}

static void sections_and_variables_apply_as_in_httpd(void **state)
{
    sp_settings_t *settings;

    (void)state;
    setenv("SUBPAY_TEST_NAME", "from the environment", 1);
    settings = read_shop(
        write_shop("sections.conf",
                   "Define HERE\n"
                   "Define DAYS 5\n"
                   "<IfModule mod_subpay.c>\nSubPayGoodwill ${DAYS}\n</IfModule>\n"
                   "<IfModule !mod_subpay.c>\nSubPayGoodwill 1\n</IfModule>\n"
                   "<IfDefine !HERE>\n<IfModule x>\nSubPayWorker off\n</IfModule>\n"
                   "SubPayGoodwill 2\n</IfDefine>\n"
                   "<VirtualHost *:443>\nSubPayAppName ${SUBPAY_TEST_NAME}\n"
                   "</VirtualHost>\n"
                   "SubPaySupportNames \"${NOBODY}\"\n"));
    assert_int_equal(settings->goodwill_days, 5);
    assert_int_equal(settings->worker, 1);
    assert_string_equal(settings->app_name, "from the environment");
    assert_string_equal(settings->support_names, "${NOBODY}");
}

static void includes_are_followed(void **state)
{
    sp_settings_t *settings;

    (void)state;
    write_file("part-b.conf", "SubPayGoodwill 2\n");
    write_file("part-a.conf", "SubPayGoodwill 1\nSubPayAppName included\n");
    settings =
        read_shop(write_shop("including.conf", "Include part-*.conf\n"
                                               "IncludeOptional none.conf\n"
                                               "IncludeOptional none/*.conf\n"));
    assert_int_equal(settings->goodwill_days, 2);
    assert_string_equal(settings->app_name, "included");
    assert_says(refusal(write_shop("missing.conf", "Include none.conf\n")),
                "none.conf");
    assert_says(refusal(write_shop("circle.conf", "Include circle.conf\n")),
                "circle");
}

static void an_error_names_file_and_line(void **state)
{
    (void)state;
    write_file("wrong-part.inc", "\n\nSubPayWorker perhaps\n");
    assert_says(refusal(write_shop("wrong.conf", "\nSubPayWorker perhaps\n")),
                "/wrong.conf:2: SubPayWorker \"perhaps\": write on or off");
    assert_says(refusal(write_shop("wrong2.conf", "\nInclude wrong-part.inc\n")),
                "/wrong-part.inc:3: SubPayWorker");
    assert_says(refusal(write_shop("wrong3.conf", "SubPayWor\x1b\rker on\n")),
                "/wrong3.conf:1: SubPayWor  ker: there is no such directive");
    assert_says(refusal(write_file("empty.conf", "Listen 80\n")), "SubPayBaseURL");
    assert_says(refusal("/nowhere/at/all.conf"), "/nowhere/at/all.conf");
}

static void secrets_are_read_late_and_from_closed_files_only(void **state)
{
    sp_settings_t *settings;
    const char *key = write_file("key", "sk_test_canary\n");

    (void)state;
    settings = read_shop(write_shop("secret.conf", ""));
    assert_null(sp_settings_account(settings, "stripe")->key);
    assert_null(sp_settings_unlock(pool, settings));
    assert_string_equal(sp_settings_account(settings, "stripe")->key,
                        "sk_test_canary");
    assert_int_equal(chmod(key, 0640), 0);
    assert_says(sp_settings_unlock(pool, settings), "chmod 600");
    assert_int_equal(chmod(key, 0600), 0);
    write_file("key", "sk_live_canary\n");
    assert_says(sp_settings_unlock(pool, settings), "SubPayEnvironment is test");
    assert_null(strstr(sp_settings_unlock(pool, settings), "canary"));
    assert_null(sp_settings_account(settings, "stripe")->key);
    assert_int_equal(unlink(key), 0);
    assert_int_equal(mkfifo(key, 0600), 0);
    assert_says(sp_settings_unlock(pool, settings), "not a regular file");
    assert_int_equal(unlink(key), 0);
}

static int make_folder(void **state)
{
    char *name;

    (void)state;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    name = apr_pstrdup(pool, "/tmp/subpay-settings-XXXXXX");
    folder = mkdtemp(name);
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    const char *command = apr_pstrcat(pool, "rm -r ", folder, NULL);
    int status = system(command);

    (void)state;
    apr_terminate();
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_as_httpd_does),
        cmocka_unit_test(every_default_is_a_value_that_could_be_written),
        cmocka_unit_test(durations_have_a_unit_or_are_seconds),
        cmocka_unit_test(a_refusal_shows_no_control_characters_and_no_secret),
        cmocka_unit_test(addresses_lose_their_last_slash),
        cmocka_unit_test(plain_http_is_for_this_machine),
        cmocka_unit_test(a_file_is_read_as_httpd_reads_it),
        cmocka_unit_test(sections_and_variables_apply_as_in_httpd),
        cmocka_unit_test(includes_are_followed),
        cmocka_unit_test(an_error_names_file_and_line),
        cmocka_unit_test(secrets_are_read_late_and_from_closed_files_only),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
