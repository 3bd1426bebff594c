/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every message in every version, tried with messages by chance. */
#include <string.h>

#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/core/wire/random.h"
#include "tests/core/wire/sample.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define ROUNDS      12
#define ROUNDS_SLOW 2 /* for what goes through every length */
#define BYTES_MAX   65536
#define ARENA_BYTES ((size_t)1 << 20)

/* The number of the test loop is the schema's; those of the sample come last. */
static const struct wire_schema *const samples[] = {&wire_sample, &wire_sample_key,
                                                    &wire_sample_value};
#define SAMPLES_COUNT ((int)(sizeof(samples) / sizeof(samples[0])))

/* Check writes a note to a file at each of its assertions; loops over bytes are too long for
 * that. */
#define REQUIRE(condition)            \
    do {                              \
        if (!(condition))             \
            ck_abort_msg(#condition); \
    } while (0)

static struct heap heap;
static struct memory memory;
static struct arena arena;   /* of the messages */
static struct arena scratch; /* of one decoding */
static struct rng rng;
static uint8_t bytes[BYTES_MAX];
static uint8_t again[BYTES_MAX];

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_REQUEST, ARENA_BYTES);
    arena_init(&scratch, &memory, MEMORY_REQUEST, ARENA_BYTES);
    rng_init(&rng, 20260617);
}

static void tear_down(void)
{
    arena_reset(&scratch);
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

static const struct wire_schema *schema_at(int index)
{
    return index < (int)wire_schemas_count ? wire_schemas[index]
                                           : samples[index - (int)wire_schemas_count];
}

static struct span encode(const struct wire_schema *schema, int16_t version, const void *message,
                          uint8_t *out)
{
    struct wire_writer writer = {.data = out, .capacity = BYTES_MAX};
    REQUIRE(wire_encode(schema, version, message, &writer) == ERR_NONE);
    return span_of(out, writer.length);
}

/* Calls `what` with messages by chance in every version of the schema number `index`. */
static void each_version(int index, int rounds,
                         void (*what)(const struct wire_schema *, int16_t, const void *))
{
    const struct wire_schema *schema = schema_at(index);
    for (int16_t version = schema->version_min; version <= schema->version_max; version++)
        for (int round = 0; round < rounds; round++) {
            what(schema, version, random_message(schema, version, &rng, &arena));
            arena_reset(&arena);
        }
}

static void round_trip(const struct wire_schema *schema, int16_t version, const void *message)
{
    const struct span encoded = encode(schema, version, message, bytes);
    void *decoded = arena_take(&arena, schema->size);

    memset(decoded, 0xaa, schema->size);
    REQUIRE(wire_size(schema, version, message) == encoded.length);
    REQUIRE(wire_decode(schema, version, encoded, &arena, decoded) == ERR_NONE);
    const char *field = random_difference(schema, version, message, decoded);
    if (field != NULL)
        ck_abort_msg("%s version %d: %s differs", schema->name, version, field);
    const struct span second = encode(schema, version, decoded, again);
    REQUIRE(second.length == encoded.length);
    ck_assert_mem_eq(second.data, encoded.data, encoded.length);
}

START_TEST(what_is_encoded_decodes_to_the_same)
{
    each_version(_i, ROUNDS, round_trip);
}
END_TEST

/* The bytes end where memory does, so that instrumented builds see any look beyond. */
static void truncate_anywhere(const struct wire_schema *schema, int16_t version,
                              const void *message)
{
    const struct span encoded = encode(schema, version, message, bytes);
    void *decoded = arena_take(&arena, schema->size);

    for (size_t length = 0; length < encoded.length; length++) {
        uint8_t *copy = memory_take(&memory, MEMORY_READ, length + 1);
        memcpy(copy + 1, encoded.data, length);
        const int error =
            wire_decode(schema, version, span_of(copy + 1, length), &scratch, decoded);
        arena_reset(&scratch);
        memory_give(&memory, MEMORY_READ, copy, length + 1);
        if (error != ERR_MALFORMED)
            ck_abort_msg("%s version %d cut to %zu of %zu: %s", schema->name, version, length,
                         encoded.length, error_name(error));
    }
}

START_TEST(a_message_cut_anywhere_is_malformed)
{
    each_version(_i, ROUNDS_SLOW, truncate_anywhere);
}
END_TEST

static void trail(const struct wire_schema *schema, int16_t version, const void *message)
{
    struct span encoded = encode(schema, version, message, bytes);
    void *decoded = arena_take(&arena, schema->size);
    size_t used_bytes = 0;

    bytes[encoded.length++] = (uint8_t)rng_next(&rng);
    REQUIRE(wire_decode(schema, version, encoded, &arena, decoded) == ERR_MALFORMED);
    ck_assert_int_eq(wire_decode_prefix(schema, version, encoded, &arena, decoded, &used_bytes),
                     ERR_NONE);
    ck_assert_uint_eq(used_bytes, encoded.length - 1);
}

START_TEST(nothing_may_follow_a_message)
{
    each_version(_i, ROUNDS, trail);
}
END_TEST

/* One byte changed anywhere: an error, or a message that encodes and decodes to the same bytes. */
static void corrupt(const struct wire_schema *schema, int16_t version, const void *message)
{
    struct span encoded = encode(schema, version, message, bytes);
    void *decoded = arena_take(&arena, schema->size);

    if (encoded.length == 0)
        return;
    bytes[rng_next(&rng) % encoded.length] = (uint8_t)rng_next(&rng);
    if (wire_decode(schema, version, encoded, &arena, decoded) != ERR_NONE)
        return;
    const struct span second = encode(schema, version, decoded, again);
    void *third = arena_take(&arena, schema->size);
    REQUIRE(wire_decode(schema, version, second, &arena, third) == ERR_NONE);
    ck_assert_ptr_null(random_difference(schema, version, decoded, third));
}

START_TEST(a_changed_byte_does_no_harm)
{
    each_version(_i, ROUNDS, corrupt);
}
END_TEST

static void write_short(const struct wire_schema *schema, int16_t version, const void *message)
{
    const struct span encoded = encode(schema, version, message, bytes);

    for (size_t capacity = 0; capacity < encoded.length; capacity++) {
        struct wire_writer writer = {.data = again, .capacity = capacity};
        memset(again, 0xee, encoded.length);
        REQUIRE(wire_encode(schema, version, message, &writer) == ERR_SHORT);
        REQUIRE(writer.length == encoded.length);
        for (size_t i = capacity; i < encoded.length; i++)
            REQUIRE(again[i] == 0xee);
    }
}

START_TEST(a_writer_keeps_within_its_capacity)
{
    each_version(_i, ROUNDS_SLOW, write_short);
}
END_TEST

/* The arena ends at the last byte, or anywhere before it. */
static void starve(const struct wire_schema *schema, int16_t version, const void *message)
{
    const struct span encoded = encode(schema, version, message, bytes);
    void *decoded = arena_take(&arena, schema->size);

    REQUIRE(wire_decode(schema, version, encoded, &scratch, decoded) == ERR_NONE);
    const size_t needed = scratch.used_bytes;
    arena_reset(&scratch);
    for (int i = 0; i < 20 && needed > 0; i++) {
        const size_t limit = i == 0 ? needed - 1 : rng_next(&rng) % needed;
        arena_init(&scratch, &memory, MEMORY_REQUEST, limit);
        REQUIRE(wire_decode(schema, version, encoded, &scratch, decoded) == ERR_ARENA_FULL);
        arena_reset(&scratch);
    }
    arena_init(&scratch, &memory, MEMORY_REQUEST, needed);
    REQUIRE(wire_decode(schema, version, encoded, &scratch, decoded) == ERR_NONE);
    arena_reset(&scratch);
    arena_init(&scratch, &memory, MEMORY_REQUEST, ARENA_BYTES);
}

START_TEST(an_arena_too_small_is_an_error)
{
    each_version(_i, ROUNDS_SLOW, starve);
}
END_TEST

START_TEST(defaults_survive_in_every_version)
{
    const struct wire_schema *schema = schema_at(_i);
    for (int16_t version = schema->version_min; version <= schema->version_max; version++) {
        void *message = arena_take(&arena, schema->size);
        memset(message, 0xaa, schema->size);
        wire_defaults(schema, message);
        round_trip(schema, version, message);
        arena_reset(&arena);
    }
}
END_TEST

SUITE(round_trip)
{
    const int count = (int)wire_schemas_count + SAMPLES_COUNT;
    TCase *tcase = tcase_create("every message");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, what_is_encoded_decodes_to_the_same, 0, count);
    tcase_add_loop_test(tcase, a_message_cut_anywhere_is_malformed, 0, count);
    tcase_add_loop_test(tcase, nothing_may_follow_a_message, 0, count);
    tcase_add_loop_test(tcase, a_changed_byte_does_no_harm, 0, count);
    tcase_add_loop_test(tcase, a_writer_keeps_within_its_capacity, 0, count);
    tcase_add_loop_test(tcase, an_arena_too_small_is_an_error, 0, count);
    tcase_add_loop_test(tcase, defaults_survive_in_every_version, 0, count);
    suite_add_tcase(suite, tcase);
}
