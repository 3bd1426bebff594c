/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/uuid.h"

#include "core/base/rng.h"
#include "tests/support/runner.h"

static const struct {
    struct uuid uuid;
    const char *text;
} ids[] = {
    {{{0}}, "AAAAAAAAAAAAAAAAAAAAAA"},
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, "AAAAAAAAAAAAAAAAAAAAAQ"},
    {{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff}},
     "_____________________w"},
    {{{0xfb, 0xef, 0xbe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}}, "----AQIDBAUGBwgJCgsMDQ"},
};

START_TEST(ids_have_their_text)
{
    struct uuid back;

    ck_assert_str_eq(uuid_text(ids[_i].uuid).text, ids[_i].text);
    ck_assert_int_eq(uuid_parse(span_text(ids[_i].text), &back), 0);
    ck_assert(uuid_equal(back, ids[_i].uuid));
}
END_TEST

START_TEST(ids_come_back)
{
    struct rng rng;

    rng_init(&rng, 1);
    for (int i = 0; i < 1000; i++) {
        const struct uuid uuid = rng_uuid(&rng);
        struct uuid back;
        ck_assert_int_eq(uuid_parse(span_text(uuid_text(uuid).text), &back), 0);
        ck_assert(uuid_equal(back, uuid));
    }
}
END_TEST

static const char *const no_ids[] = {
    "",
    "AAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAB", /* bits beyond the id */
    "AAAAAAAAAAAAAAAAAAAAA=",
    "AAAAAAAAAAAAAAAAAAAA==",
    "AAAAAAAAAA/AAAAAAAAAAA",
    "AAAAAAAAAA+AAAAAAAAAAA",
    " AAAAAAAAAAAAAAAAAAAAA",
};

START_TEST(other_text_is_refused)
{
    struct uuid uuid;

    ck_assert_int_eq(uuid_parse(span_text(no_ids[_i]), &uuid), -1);
}
END_TEST

SUITE(uuid)
{
    TCase *tcase = tcase_create("uuid");
    tcase_add_loop_test(tcase, ids_have_their_text, 0, sizeof(ids) / sizeof(ids[0]));
    tcase_add_test(tcase, ids_come_back);
    tcase_add_loop_test(tcase, other_text_is_refused, 0, sizeof(no_ids) / sizeof(no_ids[0]));
    suite_add_tcase(suite, tcase);
}
