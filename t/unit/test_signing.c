/*
 * test_signing.c - the application can check what we sign, with anybody's library.
 *
 * Room: tests. Expected values: the test vector of the Standard Webhooks libraries.
 */
#include "pool.h"

#include <apr_strings.h>
#include <string.h>

#include "util/signing.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define BYTES_64 \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static void the_signature_is_the_known_one(void **state)
{
    (void)state;
    assert_string_equal(sp_signing_sign(pool, SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                        apr_time_from_sec(1614265330),
                                        "{\"test\": 2432232314}"),
                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void a_secret_is_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "",
        "whsec_",
        "whsec",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "sk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",  /* cut short */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", /* 22 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI-2LaLaSw", /* another alphabet */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL===", /* too much padding */
        "whsec_MfKQ9r8GKYqrTw==PD8ILPZIo2LaLaSw", /* in the middle */
        "whsec_A" BYTES_64,
        "whsec_AAAA" BYTES_64, /* 67 bytes */
    };
    size_t i;

    (void)state;
    assert_null(sp_signing_problem(pool, SECRET));
    assert_null(sp_signing_problem(pool, "whsec_" BYTES_64));
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *problem = sp_signing_problem(pool, wrong[i]);

        assert_non_null(problem);
        assert_null(strstr(problem, "MfKQ"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_the_known_one),
        cmocka_unit_test(a_secret_is_read_strictly),
    };

    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}
