/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/core/wire/hex.h"
#include "tests/core/wire/sample.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define BYTES_MAX 65536

static struct heap heap;
static struct memory memory;
static struct arena arena;
static uint8_t bytes[BYTES_MAX];
static uint8_t again[BYTES_MAX];

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

static void encodes_to(const struct wire_schema *schema, int16_t version, const void *message,
                       const char *hex)
{
    const struct span wanted = hex_read(hex, again, sizeof(again));
    struct wire_writer writer = {.data = bytes, .capacity = sizeof(bytes)};

    ck_assert_int_eq(wire_encode(schema, version, message, &writer), ERR_NONE);
    ck_assert_uint_eq(writer.length, wanted.length);
    ck_assert_mem_eq(bytes, again, wanted.length);
    ck_assert_uint_eq(wire_size(schema, version, message), wanted.length);
}

/* A fetch response of three partitions: records in a file, none, and in another file. */
static const uint8_t first_file[] = "first file's bytes";
static const uint8_t second_file[] = "and the second's";

static struct fetch_response_response_partition partitions[3];
static struct fetch_response_response topic;
static struct fetch_response response;

static void response_make(bool in_memory)
{
    wire_defaults(&wire_fetch_response, &response);
    memset(&topic, 0, sizeof(topic));
    memset(partitions, 0, sizeof(partitions));
    topic.topic = SPAN("t");
    topic.partitions = partitions;
    topic.partitions_count = 3;
    response.responses = &topic;
    response.responses_count = 1;
    partitions[0].records = (struct span){in_memory ? first_file : NULL, sizeof(first_file)};
    partitions[1].records = SPAN("");
    partitions[2].records = (struct span){in_memory ? second_file : NULL, sizeof(second_file)};
}

START_TEST(records_that_lie_in_files_are_left_out)
{
    const int16_t version = (int16_t)_i;
    struct wire_split splits[2];
    struct wire_writer whole = {.data = again, .capacity = sizeof(again)};
    struct wire_writer writer = {
        .data = bytes, .capacity = sizeof(bytes), .splits = splits, .splits_capacity = 2};

    response_make(true);
    ck_assert_int_eq(wire_encode(&wire_fetch_response, version, &response, &whole), ERR_NONE);
    response_make(false);
    ck_assert_uint_eq(wire_size(&wire_fetch_response, version, &response), whole.length);
    ck_assert_int_eq(wire_encode(&wire_fetch_response, version, &response, &writer), ERR_NONE);
    ck_assert_uint_eq(writer.splits_count, 2);
    ck_assert_uint_eq(writer.splits_bytes, sizeof(first_file) + sizeof(second_file));
    ck_assert_uint_eq(splits[0].length, sizeof(first_file));
    ck_assert_uint_eq(splits[1].length, sizeof(second_file));

    /* Put together as the driver sends it. */
    struct wire_writer sent = {.data = again + whole.length, .length = 0};
    memcpy(sent.data, bytes, splits[0].position);
    sent.length = splits[0].position;
    memcpy(sent.data + sent.length, first_file, sizeof(first_file));
    sent.length += sizeof(first_file);
    memcpy(sent.data + sent.length, bytes + splits[0].position,
           splits[1].position - splits[0].position);
    sent.length += splits[1].position - splits[0].position;
    memcpy(sent.data + sent.length, second_file, sizeof(second_file));
    sent.length += sizeof(second_file);
    memcpy(sent.data + sent.length, bytes + splits[1].position, writer.length - splits[1].position);
    sent.length += writer.length - splits[1].position;
    ck_assert_uint_eq(sent.length, whole.length);
    ck_assert_mem_eq(sent.data, again, whole.length);
}
END_TEST

START_TEST(more_splits_than_expected_are_an_error)
{
    struct wire_split split;
    struct wire_writer writer = {
        .data = bytes, .capacity = sizeof(bytes), .splits = &split, .splits_capacity = 1};

    response_make(false);
    ck_assert_int_eq(wire_encode(&wire_fetch_response, 12, &response, &writer), ERR_SHORT);
    ck_assert_uint_eq(writer.splits_count, 2);
}
END_TEST

START_TEST(null_is_empty_where_the_version_has_no_null)
{
    struct delete_topics_response_response one = {.error_code = 100};
    struct delete_topics_response deleted = {.responses = &one, .responses_count = 1};
    struct metadata_request request;

    encodes_to(&wire_delete_topics_response, 1, &deleted, "00000000 00000001 0000 0064");
    encodes_to(&wire_delete_topics_response, 4, &deleted, "00000000 02 01 0064 00 00");
    encodes_to(&wire_delete_topics_response, 6, &deleted,
               "00000000 02 00 00000000000000000000000000000000 0064 00 00 00");
    wire_defaults(&wire_metadata_request, &request);
    request.topics_count = -1;
    encodes_to(&wire_metadata_request, 0, &request, "00000000");
    encodes_to(&wire_metadata_request, 1, &request, "ffffffff");
}
END_TEST

START_TEST(a_text_of_ours_is_cut_to_what_a_string_can_be)
{
    static uint8_t long_text[40000];
    struct create_partitions_response_result result = {.error_message =
                                                           span_of(long_text, sizeof(long_text))};
    struct create_partitions_response message = {.results = &result, .results_count = 1};

    memset(long_text, 'x', sizeof(long_text));
    for (int16_t version = 0; version <= 3; version++) {
        struct create_partitions_response decoded;
        struct wire_writer writer = {.data = bytes, .capacity = sizeof(bytes)};
        ck_assert_int_eq(wire_encode(&wire_create_partitions_response, version, &message, &writer),
                         ERR_NONE);
        ck_assert_int_eq(wire_decode(&wire_create_partitions_response, version,
                                     span_of(bytes, writer.length), &arena, &decoded),
                         ERR_NONE);
        ck_assert_uint_eq(decoded.results[0].error_message.length, WIRE_STRING_BYTES_MAX);
    }
}
END_TEST

START_TEST(fields_of_other_versions_are_left_out)
{
    struct heartbeat_response heartbeat = {.throttle_time_ms = 9, .error_code = 27};
    encodes_to(&wire_heartbeat_response, 0, &heartbeat, "001b");
    encodes_to(&wire_heartbeat_response, 1, &heartbeat, "00000009 001b");
    encodes_to(&wire_heartbeat_response, 4, &heartbeat, "00000009 001b 00");
}
END_TEST

START_TEST(a_tagged_field_at_its_default_is_left_out)
{
    struct offset_commit_value value;

    wire_defaults(&wire_offset_commit_value, &value);
    encodes_to(&wire_offset_commit_value, 4, &value,
               "0000000000000000 ffffffff 01 0000000000000000 00");
    value.topic_id.bytes[15] = 1;
    encodes_to(&wire_offset_commit_value, 4, &value,
               "0000000000000000 ffffffff 01 0000000000000000"
               " 01 00 10 00000000000000000000000000000001");
}
END_TEST

START_TEST(tagged_strings_and_arrays_at_their_defaults_are_left_out)
{
    struct api_versions_response versions;
    struct fetch_request fetch;

    wire_defaults(&wire_api_versions_response, &versions);
    encodes_to(&wire_api_versions_response, 3, &versions, "0000 01 00000000 00");
    wire_defaults(&wire_fetch_request, &fetch);
    encodes_to(&wire_fetch_request, 12, &fetch,
               "ffffffff 00000000 00000000 7fffffff 00 00000000 ffffffff 01 01 01 00");
    fetch.cluster_id = SPAN("");
    encodes_to(&wire_fetch_request, 12, &fetch,
               "ffffffff 00000000 00000000 7fffffff 00 00000000 ffffffff 01 01 01 01 00 01 01");
}
END_TEST

START_TEST(a_tagged_struct_is_written_for_a_struct_inside_it)
{
    struct sample_tagged_struct_maybe inside = {.value = 3};
    struct sample message;
    struct sample decoded;
    struct wire_writer writer = {.data = bytes, .capacity = sizeof(bytes)};

    wire_defaults(&wire_sample, &message);
    message.tagged_struct.maybe = &inside;
    ck_assert_int_eq(wire_encode(&wire_sample, 4, &message, &writer), ERR_NONE);
    ck_assert_int_eq(wire_decode(&wire_sample, 4, span_of(bytes, writer.length), &arena, &decoded),
                     ERR_NONE);
    ck_assert_ptr_nonnull(decoded.tagged_struct.maybe);
    ck_assert_int_eq(decoded.tagged_struct.maybe->value, 3);
}
END_TEST

START_TEST(messages_stand_behind_one_another)
{
    const struct response_header header = {.correlation_id = 3};
    const struct heartbeat_response heartbeat = {.error_code = 27};
    struct wire_writer writer = {.data = bytes, .capacity = 7};

    ck_assert_int_eq(wire_encode(&wire_response_header, 1, &header, &writer), ERR_NONE);
    ck_assert_int_eq(wire_encode(&wire_heartbeat_response, 0, &heartbeat, &writer), ERR_NONE);
    ck_assert_uint_eq(writer.length, 7);
    ck_assert_mem_eq(bytes, "\0\0\0\3\0\0\x1b", 7);
    ck_assert_int_eq(wire_encode(&wire_heartbeat_response, 0, &heartbeat, &writer), ERR_SHORT);
}
END_TEST

SUITE(encode)
{
    TCase *tcase = tcase_create("encode");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, records_that_lie_in_files_are_left_out, 4, 19);
    tcase_add_test(tcase, more_splits_than_expected_are_an_error);
    tcase_add_test(tcase, null_is_empty_where_the_version_has_no_null);
    tcase_add_test(tcase, a_text_of_ours_is_cut_to_what_a_string_can_be);
    tcase_add_test(tcase, fields_of_other_versions_are_left_out);
    tcase_add_test(tcase, a_tagged_field_at_its_default_is_left_out);
    tcase_add_test(tcase, tagged_strings_and_arrays_at_their_defaults_are_left_out);
    tcase_add_test(tcase, a_tagged_struct_is_written_for_a_struct_inside_it);
    tcase_add_test(tcase, messages_stand_behind_one_another);
    suite_add_tcase(suite, tcase);
}
