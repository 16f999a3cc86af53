/*
 * test_account.c - which passwords do, and what a board tells about accounts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <cmocka.h>

#include "domain/account.h"
#include "domain/account_board.h"

#define ANA "11111111-1111-4111-8111-111111111111"
#define BO "22222222-2222-4222-8222-222222222222"

static char *repeat(const char *piece, int times)
{
    static char text[256];

    text[0] = '\0';
    while (times-- > 0) {
        strcat(text, piece);
    }
    return text;
}

static void passwords_of_eight_characters_do(void **state)
{
    static const char *const good[] = { "eightchr", "three odd words", "12345679",
                                        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                                        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(sp_password_problem(good[i]));
    }
    assert_null(sp_password_problem(repeat("x", 72)));
    assert_null(sp_password_problem(repeat("\xc3\xa4", 36)));
}

static void others_are_told_why_not(void **state)
{
    (void)state;
    assert_non_null(strstr(sp_password_problem(NULL), "8 characters"));
    assert_non_null(strstr(sp_password_problem(""), "8 characters"));
    assert_non_null(
        strstr(sp_password_problem(repeat("\xc3\xa4", 7)), "8 characters"));
    assert_non_null(strstr(sp_password_problem(repeat("x", 73)), "72"));
    assert_non_null(strstr(sp_password_problem(repeat("\xc3\xa4", 37)), "72"));
    assert_non_null(strstr(sp_password_problem("PassWord123"), "would try"));
    assert_non_null(strstr(sp_password_problem("long enough \xff"), "no text"));
}

static void a_token_has_32_digits(void **state)
{
    unsigned char hash[SP_HASH_SIZE];

    (void)state;
    assert_true(sp_account_hash("00112233445566778899aabbccddeeff", hash));
    assert_false(sp_account_hash("00112233445566778899aabbccddeef", hash));
    assert_false(sp_account_hash("00112233445566778899aabbccddeeff0", hash));
    assert_false(sp_account_hash("00112233445566778899aabbccddeefg", hash));
    assert_false(sp_account_hash("", hash));
    assert_false(sp_account_hash(NULL, hash));
}

static void without_a_board_every_mark_stands(void **state)
{
    sp_board_mark_t mark;

    (void)state;
    sp_board_use(NULL);
    mark = sp_board_mark(ANA);
    sp_board_change(ANA, 0);
    sp_board_change_all();
    sp_board_hear();
    assert_true(sp_board_stands(ANA, &mark));
    assert_int_equal(sp_board_changed_at(ANA), 0);
    assert_false(sp_board_heard());
}

static void a_change_moves_the_mark_of_its_account(void **state)
{
    void *memory = calloc(1, sp_board_size());
    sp_board_mark_t ana, bo;
    apr_uint32_t changes;

    (void)state;
    sp_board_use(memory);
    ana = sp_board_mark(ANA);
    bo = sp_board_mark(BO);
    changes = sp_board_changes();
    sp_board_change(ANA, 1000);
    assert_false(sp_board_stands(ANA, &ana));
    assert_true(sp_board_stands(BO, &bo));
    assert_int_not_equal(sp_board_changes(), changes);
    assert_int_equal(sp_board_changed_at(ANA), 1000);
    assert_int_equal(sp_board_changed_at(BO), 0);

    sp_board_change(ANA, 500); /* older news */
    assert_int_equal(sp_board_changed_at(ANA), 1000);

    sp_board_change_all();
    assert_false(sp_board_stands(BO, &bo));
    assert_int_equal(sp_board_changed_at(BO), 0);

    assert_false(sp_board_heard());
    sp_board_hear();
    assert_true(sp_board_heard());
    sp_board_use(NULL);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_of_eight_characters_do),
        cmocka_unit_test(others_are_told_why_not),
        cmocka_unit_test(a_token_has_32_digits),
        cmocka_unit_test(without_a_board_every_mark_stands),
        cmocka_unit_test(a_change_moves_the_mark_of_its_account),
    };

    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
