/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/rng.h"

#include "tests/support/runner.h"

/* The generator's own reference: state {1, 2, 3, 4} gives these. */
START_TEST(numbers_are_those_of_the_reference)
{
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
    };
    struct rng rng = {.state = {1, 2, 3, 4}};

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ck_assert_uint_eq(rng_next(&rng), expected[i]);
}
END_TEST

/* SplitMix64's own reference for the seed 1234567. */
START_TEST(seeding_is_splitmix)
{
    static const uint64_t expected[4] = {
        UINT64_C(6457827717110365317),
        UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431),
    };
    struct rng rng;

    rng_init(&rng, 1234567);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(rng.state[i], expected[i]);
}
END_TEST

START_TEST(uuids_are_version_4_and_never_begin_with_minus)
{
    struct rng rng;
    struct uuid last = {{0}};

    rng_init(&rng, 1);
    for (int i = 0; i < 2000; i++) {
        const struct uuid uuid = rng_uuid(&rng);
        ck_assert_uint_eq(uuid.bytes[6] >> 4, 4);
        ck_assert_uint_eq(uuid.bytes[8] >> 6, 2);
        ck_assert_uint_ne(uuid.bytes[0] >> 2, 62);
        ck_assert(!uuid_equal(uuid, last));
        last = uuid;
    }
}
END_TEST

SUITE(rng)
{
    TCase *tcase = tcase_create("rng");
    tcase_add_test(tcase, numbers_are_those_of_the_reference);
    tcase_add_test(tcase, seeding_is_splitmix);
    tcase_add_test(tcase, uuids_are_version_4_and_never_begin_with_minus);
    suite_add_tcase(suite, tcase);
}
