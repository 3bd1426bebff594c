/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that are no message: each way to be wrong, by hand. */
#include <stdlib.h>
#include <string.h>

#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/core/wire/hex.h"
#include "tests/core/wire/sample.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct arena arena;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_REQUEST, 1 << 20);
}

static void tear_down(void)
{
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

static const struct {
    const char *what;
    const struct wire_schema *schema;
    int16_t version;
    const char *hex;
    int error;
} inputs[] = {
    {"a version too new", &wire_fetch_request, 19, "", ERR_UNSUPPORTED_VERSION},
    {"a version too old", &wire_fetch_request, 3, "", ERR_UNSUPPORTED_VERSION},
    {"a version below all", &wire_fetch_request, -1, "", ERR_UNSUPPORTED_VERSION},

    {"more elements than bytes could hold", &wire_metadata_request, 1, "7fffffff 0000",
     ERR_MALFORMED},
    {"more compact elements than bytes could hold", &wire_metadata_request, 9,
     "8080808008 01 00 00 00 00 00", ERR_MALFORMED},
    {"one element more than bytes could hold", &wire_delete_groups_request, 0, "00000003 0000 0000",
     ERR_MALFORMED},
    {"as many elements as bytes can hold", &wire_delete_groups_request, 0, "00000002 0000 0000",
     ERR_NONE},
    {"a count below null", &wire_metadata_request, 1, "fffffffe", ERR_MALFORMED},
    {"a compact count beyond 31 bits", &wire_metadata_request, 9, "ffffffff0f 00 00 00 00",
     ERR_MALFORMED},

    {"null where the version has none", &wire_metadata_request, 0, "ffffffff", ERR_MALFORMED},
    {"a null string where there is none", &wire_heartbeat_request, 0, "ffff 00000001 0000",
     ERR_MALFORMED},
    {"a compact null string where there is none", &wire_api_versions_request, 3, "00 01 00",
     ERR_MALFORMED},
    {"null bytes where there are none", &wire_sync_group_response, 0, "0000 ffffffff",
     ERR_MALFORMED},
    {"a null element of a list", &wire_delete_groups_request, 0, "00000001 ffff", ERR_MALFORMED},
    {"a string's length below null", &wire_heartbeat_request, 0, "8000 00000001 0000",
     ERR_MALFORMED},
    {"a string longer than the rest", &wire_heartbeat_request, 0, "0007 00000001 0000",
     ERR_MALFORMED},

    {"a varint of six bytes", &wire_api_versions_request, 3, "808080808000 01 00", ERR_MALFORMED},
    {"a varint beyond 32 bits", &wire_api_versions_request, 3, "8180808010 01 00", ERR_MALFORMED},
    {"a varint longer than it needs to be", &wire_api_versions_request, 3, "8100 8100 8000",
     ERR_NONE},

    {"an unknown tag", &wire_api_versions_request, 3, "01 01 01 07 02 abcd", ERR_NONE},
    {"the highest tag, and an empty one", &wire_api_versions_request, 3,
     "01 01 02 05 00 ffffffff0f 01 ee", ERR_NONE},
    {"an unknown tag before a known one", &wire_fetch_request, 12,
     "ffffffff 00000000 00000000 00000000 00 00000000 ffffffff 01 01 01 01 00 02 0278", ERR_NONE},
    {"a tag twice", &wire_api_versions_request, 3, "01 01 02 07 00 07 00", ERR_MALFORMED},
    {"tags out of order", &wire_api_versions_request, 3, "01 01 02 08 00 07 00", ERR_MALFORMED},
    {"fewer tags than counted", &wire_api_versions_request, 3, "01 01 02 07 00", ERR_MALFORMED},
    {"more tags than can be", &wire_api_versions_request, 3, "01 01 ffffffff0f 07 00",
     ERR_MALFORMED},
    {"a tag larger than the rest", &wire_api_versions_request, 3, "01 01 01 07 05 00",
     ERR_MALFORMED},
    {"a known tag with bytes to spare", &wire_api_versions_response, 3,
     "0000 01 00000000 01 01 09 0000000000000005 00", ERR_MALFORMED},
    {"a known tag whose spare bytes look like the next", &wire_api_versions_response, 3,
     "0000 01 00000000 02 01 0b 0000000000000005 030101", ERR_MALFORMED},
    {"a known tag that reaches beyond its size", &wire_api_versions_response, 3,
     "0000 01 00000000 01 01 07 0000000000000005", ERR_MALFORMED},
    {"a known tag without content", &wire_api_versions_response, 3, "0000 01 00000000 01 01 00",
     ERR_MALFORMED},

    {"a struct that is there", &wire_sample_optional, 0, "01 05", ERR_NONE},
    {"a struct that is null", &wire_sample_optional, 0, "ff", ERR_NONE},
    {"a struct that is neither", &wire_sample_optional, 0, "02", ERR_MALFORMED},
};

START_TEST(bytes_are_judged)
{
    uint8_t bytes[256];
    const struct span input = hex_read(inputs[_i].hex, bytes, sizeof(bytes));
    void *message = arena_take(&arena, inputs[_i].schema->size);

    /* A copy that ends where memory does, for builds that watch it. */
    uint8_t *copy = malloc(input.length + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy + 1, input.data, input.length);
    const int error = wire_decode(inputs[_i].schema, inputs[_i].version,
                                  span_of(copy + 1, input.length), &arena, message);
    free(copy);
    ck_assert_msg(error == inputs[_i].error, "%s: %s", inputs[_i].what, error_name(error));
    ck_assert_uint_lt(arena.used_bytes, 4096);
}
END_TEST

/* Kafka takes no string beyond 32767 bytes, however its length is written. */
START_TEST(a_compact_string_has_the_limit_of_a_plain_one)
{
    static uint8_t bytes[WIRE_STRING_BYTES_MAX + 8];
    struct api_versions_request request;

    /* Length + 1 in three bytes, the string, an empty string, no tags. */
    memcpy(bytes, "\x80\x80\x02", 3);
    bytes[3 + WIRE_STRING_BYTES_MAX] = 1;
    ck_assert_int_eq(wire_decode(&wire_api_versions_request, 3,
                                 span_of(bytes, 3 + WIRE_STRING_BYTES_MAX + 2), &arena, &request),
                     ERR_NONE);
    ck_assert_uint_eq(request.client_software_name.length, WIRE_STRING_BYTES_MAX);
    memcpy(bytes, "\x81\x80\x02", 3);
    bytes[3 + WIRE_STRING_BYTES_MAX] = 0;
    bytes[3 + WIRE_STRING_BYTES_MAX + 1] = 1;
    ck_assert_int_eq(wire_decode(&wire_api_versions_request, 3,
                                 span_of(bytes, 3 + WIRE_STRING_BYTES_MAX + 3), &arena, &request),
                     ERR_MALFORMED);
}
END_TEST

START_TEST(no_bytes_at_all_can_be_a_message)
{
    struct api_versions_request request;
    ck_assert_int_eq(wire_decode(&wire_api_versions_request, 0, SPAN_NULL, &arena, &request),
                     ERR_NONE);
    ck_assert_int_eq(wire_decode(&wire_api_versions_request, 3, SPAN_NULL, &arena, &request),
                     ERR_MALFORMED);
}
END_TEST

static const struct {
    const struct wire_schema *schema;
    const char *hex;
    int error;
} records[] = {
    {&wire_sample_key, "000c 0001 67", ERR_NONE},
    {&wire_sample_key, "000b 0001 67", ERR_UNSUPPORTED_VERSION},
    {&wire_sample_key, "000c 0002 67", ERR_MALFORMED},
    {&wire_sample_key, "00", ERR_MALFORMED},
    {&wire_sample_key, "", ERR_MALFORMED},
    {&wire_sample_value, "0000 00000007", ERR_NONE},
    {&wire_sample_value, "0001 00000007 0000", ERR_NONE},
    {&wire_sample_value, "0001 00000007", ERR_MALFORMED},
    {&wire_sample_value, "0002 00000007 0000", ERR_UNSUPPORTED_VERSION},
    {&wire_sample_value, "ffff 00000007 0000", ERR_UNSUPPORTED_VERSION},
};

START_TEST(a_record_says_what_it_is)
{
    uint8_t bytes[64];
    uint8_t again[64];
    const struct wire_schema *schema = records[_i].schema;
    const struct span input = hex_read(records[_i].hex, bytes, sizeof(bytes));
    void *message = arena_take(&arena, schema->size);

    ck_assert_int_eq(wire_decode_record(schema, input, &arena, message), records[_i].error);
    if (records[_i].error != ERR_NONE)
        return;
    const int16_t version = schema == &wire_sample_key ? 0 : (int16_t)bytes[1];
    struct wire_writer writer = {.data = again, .capacity = sizeof(again)};
    ck_assert_uint_eq(wire_record_size(schema, version, message), input.length);
    ck_assert_int_eq(wire_encode_record(schema, version, message, &writer), ERR_NONE);
    ck_assert_uint_eq(writer.length, input.length);
    ck_assert_mem_eq(again, bytes, input.length);
}
END_TEST

SUITE(hostile)
{
    TCase *tcase = tcase_create("hostile");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, bytes_are_judged, 0, sizeof(inputs) / sizeof(inputs[0]));
    tcase_add_test(tcase, a_compact_string_has_the_limit_of_a_plain_one);
    tcase_add_test(tcase, no_bytes_at_all_can_be_a_message);
    tcase_add_loop_test(tcase, a_record_says_what_it_is, 0, sizeof(records) / sizeof(records[0]));
    suite_add_tcase(suite, tcase);
}
