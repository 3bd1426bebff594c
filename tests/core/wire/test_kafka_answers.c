/* SPDX-License-Identifier: Apache-2.0 */
/* What Apache Kafka answered to one request of each API in each version (tests/golden/kafka): every
 * answer decodes, and its bytes come back when it is encoded. */
#include <stdio.h>

#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/support/golden.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define ANSWER_BYTES_MAX 65536
#define ARENA_BYTES_MAX  (1 << 20)

static struct heap heap;
static struct memory memory;
static struct arena arena;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
}

static void tear_down(void)
{
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

static int versions_of(const struct wire_api *api)
{
    return api->version_max - api->version_min + 1;
}

/* All versions of all APIs. */
static int versions_count(void)
{
    int count = 0;
    for (uint32_t i = 0; i < wire_apis_count; i++)
        count += versions_of(&wire_apis[i]);
    return count;
}

/* The body of Kafka's answer, decoded; `answer` has room for its bytes. */
static void *read_answer(const struct wire_api *api, int16_t version, uint8_t *answer,
                         struct response_header *ret_header, size_t *ret_length)
{
    char name[64];
    size_t used = 0;
    snprintf(name, sizeof(name), "kafka/%s-v%d.bin", api->name, version);
    const size_t length = golden_read(name, answer, ANSWER_BYTES_MAX);
    void *body = arena_take(&arena, api->response->size);
    ck_assert_msg(
        wire_decode_prefix(&wire_response_header, wire_response_header_version(api, version),
                           span_of(answer, length), &arena, ret_header, &used) == ERR_NONE,
        "%s: header", name);
    const int error =
        wire_decode(api->response, version, span_of(answer + used, length - used), &arena, body);
    ck_assert_msg(error == ERR_NONE, "%s: %s", name, error_name(error));
    *ret_length = length;
    return body;
}

START_TEST(bytes_come_back)
{
    static uint8_t answer[ANSWER_BYTES_MAX];
    static uint8_t again[ANSWER_BYTES_MAX];
    const struct wire_api *api = wire_apis;
    int index = _i;
    for (; index >= versions_of(api); api++)
        index -= versions_of(api);
    const int16_t version = (int16_t)(api->version_min + index);
    struct response_header header;
    size_t length;
    const void *body = read_answer(api, version, answer, &header, &length);

    struct wire_writer writer = {.data = again, .capacity = sizeof(again)};
    ck_assert_int_eq(wire_encode(&wire_response_header, wire_response_header_version(api, version),
                                 &header, &writer),
                     ERR_NONE);
    ck_assert_int_eq(wire_encode(api->response, version, body, &writer), ERR_NONE);
    ck_assert_uint_eq(writer.length, length);
    ck_assert_mem_eq(again, answer, length);
}
END_TEST

/* The files are what they are said to be, not just any bytes that decode. */
START_TEST(answers_are_of_the_story)
{
    static uint8_t answer[ANSWER_BYTES_MAX];
    struct response_header header;
    size_t length;
    const struct fetch_response *fetched =
        read_answer(wire_api_find(API_FETCH), 4, answer, &header, &length);
    ck_assert_int_eq(fetched->responses_count, 1);
    ck_assert(span_equal(fetched->responses->topic, SPAN("topic-0")));
    ck_assert_int_eq(fetched->responses->partitions_count, 2);
    ck_assert_int_eq(fetched->responses->partitions[0].high_watermark, 3);
    ck_assert_uint_gt(fetched->responses->partitions[0].records.length, 0);
    ck_assert_int_eq(fetched->responses->partitions[1].high_watermark, 0);
}
END_TEST

SUITE(kafka_answers)
{
    TCase *tcase = tcase_create("answers");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, bytes_come_back, 0, versions_count());
    tcase_add_test(tcase, answers_are_of_the_story);
    suite_add_tcase(suite, tcase);
}
