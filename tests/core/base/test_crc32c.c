/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"

#include <string.h>

#include "core/base/rng.h"
#include "tests/support/runner.h"

typedef uint32_t crc_function(uint32_t crc, const void *data, size_t length);

static crc_function *const functions[] = {crc32c, crc32c_portable};

/* Bit by bit, as the definition has it. */
static uint32_t crc32c_by_definition(const uint8_t *data, size_t length)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    return ~crc;
}

START_TEST(sums_are_those_of_the_standard)
{
    crc_function *crc = functions[_i];
    uint8_t bytes[32];

    ck_assert_uint_eq(crc(0, "", 0), 0);
    ck_assert_uint_eq(crc(0, "123456789", 9), 0xe3069283);
    memset(bytes, 0, sizeof(bytes));
    ck_assert_uint_eq(crc(0, bytes, sizeof(bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    ck_assert_uint_eq(crc(0, bytes, sizeof(bytes)), 0x62a8ab43);
    for (uint8_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i;
    ck_assert_uint_eq(crc(0, bytes, sizeof(bytes)), 0x46dd794e);
}
END_TEST

START_TEST(every_length_and_address_agrees)
{
    crc_function *crc = functions[_i];
    uint8_t bytes[2100];
    struct rng rng;

    rng_init(&rng, 1);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)rng_next(&rng);
    for (size_t length = 0; length < 2048; length += length < 600 ? 1 : 37) {
        const uint8_t *at = bytes + length % 19;
        ck_assert_uint_eq(crc(0, at, length), crc32c_by_definition(at, length));
    }
}
END_TEST

START_TEST(parts_sum_to_the_whole)
{
    crc_function *crc = functions[_i];
    uint8_t bytes[1000];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * i);
    const uint32_t whole = crc(0, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut += 9)
        ck_assert_uint_eq(crc(crc(0, bytes, cut), bytes + cut, sizeof(bytes) - cut), whole);
}
END_TEST

SUITE(crc32c)
{
    TCase *tcase = tcase_create("crc32c");
    tcase_add_loop_test(tcase, sums_are_those_of_the_standard, 0, 2);
    tcase_add_loop_test(tcase, every_length_and_address_agrees, 0, 2);
    tcase_add_loop_test(tcase, parts_sum_to_the_whole, 0, 2);
    suite_add_tcase(suite, tcase);
}
