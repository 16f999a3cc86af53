/*
 * test_crypto.c - the hashes are the ones everybody computes.
 *
 * Room: tests. Expected values: openssl dgst; RFC 4231, test case 1.
 */
#include "pool.h"

#include <openssl/err.h>
#include <string.h>

#include "util/crypto.h"
#include "util/text.h"

static void hashes_are_the_known_ones(void **state)
{
    unsigned char hash[SP_HASH_SIZE];
    unsigned char key[20];
    struct iovec pieces[] = { { "Hi", 2 }, { " ", 1 }, { "There", 5 } };

    (void)state;
    assert_int_equal(sp_crypto_sha256("abc", 3, hash), APR_SUCCESS);
    assert_string_equal(
        sp_crypto_hex(pool, hash, sizeof(hash)),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    memset(key, 0x0b, sizeof(key));
    assert_int_equal(sp_crypto_hmac(key, sizeof(key), pieces, 3, hash), APR_SUCCESS);
    assert_string_equal(
        sp_crypto_hex(pool, hash, sizeof(hash)),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

static void one_purpose_is_one_key(void **state)
{
    unsigned char key[SP_HASH_SIZE], other[SP_HASH_SIZE];

    (void)state;
    assert_int_equal(sp_crypto_derive("sk_test_1", "return token", key),
                     APR_SUCCESS);
    assert_string_equal(
        sp_crypto_hex(pool, key, sizeof(key)),
        "c56fe8947344a4f268c8e5004e1870029141288493a00b8e68cb214c22d3d98c");
    sp_crypto_derive("sk_test_1", "cookie", other);
    assert_false(sp_crypto_equal(key, other, sizeof(key)));
    assert_true(sp_crypto_equal(key, key, sizeof(key)));
}

static void hex_is_read_strictly(void **state)
{
    unsigned char bytes[2];

    (void)state;
    assert_true(sp_crypto_unhex("0aFf", bytes, 2));
    assert_int_equal(bytes[0], 0x0a);
    assert_int_equal(bytes[1], 0xff);
    assert_false(sp_crypto_unhex("0aF", bytes, 2));
    assert_false(sp_crypto_unhex("0aFf0", bytes, 2));
    assert_false(sp_crypto_unhex("0aFg", bytes, 2));
    assert_false(sp_crypto_unhex("", bytes, 2));
}

static void random_things_differ(void **state)
{
    const char *one = sp_crypto_uuid(pool);
    const char *two = sp_crypto_uuid(pool);

    (void)state;
    assert_true(sp_text_is_uuid(one));
    assert_int_equal(one[14], '4');
    assert_string_not_equal(one, two);
}

static void nothing_is_left_in_the_error_queue(void **state)
{
    unsigned char hash[SP_HASH_SIZE];

    (void)state;
    sp_crypto_hmac("", 0, NULL, 0, hash);
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_the_known_ones),
        cmocka_unit_test(one_purpose_is_one_key),
        cmocka_unit_test(hex_is_read_strictly),
        cmocka_unit_test(random_things_differ),
        cmocka_unit_test(nothing_is_left_in_the_error_queue),
    };

    return cmocka_run_group_tests(tests, make_pool, drop_pool);
}
