/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every message from arbitrary bytes. The first two bytes choose the message and its version, the
 * others are to be one. What is taken has to come back equal from the bytes that it encodes to, and
 * those have to encode to themselves; it is printed too, for nothing but its own sake.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "fuzz/fuzz.h"
#include "fuzz/wire_choice.h"
#include "tests/core/wire/random.h"

#define ARENA_BYTES_MAX   ((size_t)4 * 1024 * 1024)
#define PRINTED_BYTES_MAX 16

static void *take(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static void forget(void *context, struct span text)
{
    size_t *length = context;
    for (size_t i = 0; i < text.length; i++)
        CHECK(text.data[i] >= ' ');
    *length += text.length;
}

/* The bytes of `message`, in memory of exactly their size. */
static struct span encode(const struct wire_schema *schema, int16_t version, const void *message)
{
    const size_t size = wire_size(schema, version, message);
    uint8_t *bytes = malloc(size + 1);
    struct wire_writer writer = {.data = bytes, .capacity = size};

    CHECK(bytes != NULL);
    CHECK(wire_encode(schema, version, message, &writer) == ERR_NONE);
    CHECK(writer.length == size && writer.splits_count == 0);
    return span_of(bytes, size);
}

/* As the value of a record, which says its version or its type first. */
static void check_record(const struct wire_schema *schema, int16_t version, const void *message,
                         struct arena *arena)
{
    const size_t size = wire_record_size(schema, version, message);
    uint8_t *bytes = malloc(size);
    struct wire_writer writer = {.data = bytes, .capacity = size};
    void *back = arena_take(arena, schema->size);
    CHECK(bytes != NULL);
    CHECK(wire_encode_record(schema, version, message, &writer) == ERR_NONE);
    CHECK(writer.length == size);
    const int error = back == NULL ? ERR_ARENA_FULL
                                   : wire_decode_record(schema, span_of(bytes, size), arena, back);
    CHECK(error == ERR_NONE || error == ERR_ARENA_FULL);
    CHECK(error != ERR_NONE || random_difference(schema, version, message, back) == NULL);
    free(bytes);
}

static void check_message(const struct wire_schema *schema, int16_t version, const void *message,
                          struct arena *arena)
{
    size_t printed = 0;
    const struct wire_printer printer = {
        .print = forget, .context = &printed, .bytes_max = PRINTED_BYTES_MAX};
    wire_print(schema, version, message, &printer);
    CHECK(printed >= 2);

    void *second = arena_take(arena, schema->size);
    const struct span bytes = encode(schema, version, message);
    const int error =
        second == NULL ? ERR_ARENA_FULL : wire_decode(schema, version, bytes, arena, second);
    if (error == ERR_NONE) {
        const struct span again = encode(schema, version, second);
        CHECK(random_difference(schema, version, message, second) == NULL);
        CHECK(span_equal(bytes, again));
        free((void *)(uintptr_t)again.data);
    } else {
        CHECK(error == ERR_ARENA_FULL);
    }
    free((void *)(uintptr_t)bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory memory;
    struct arena arena;

    if (size < 2)
        return 0;
    const struct wire_schema *schema = wire_choice(data[0] % wire_choices_count());
    const int versions_count = schema->version_max - schema->version_min + 1;
    const int16_t version = (int16_t)(schema->version_min + data[1] % versions_count);
    memory_init(&memory, (struct allocator){.allocate = take, .release = give});
    arena_init(&arena, &memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
    void *message = arena_take(&arena, schema->size);
    CHECK(message != NULL);
    const int error = wire_decode(schema, version, span_of(data + 2, size - 2), &arena, message);
    if (error == ERR_NONE) {
        check_message(schema, version, message, &arena);
        if (schema->prefix == WIRE_PREFIX_VERSION || version == schema->version_min)
            check_record(schema, version, message, &arena);
    } else
        CHECK(error == ERR_MALFORMED || error == ERR_ARENA_FULL);
    arena_reset(&arena);
    CHECK(memory.used_bytes[MEMORY_REQUEST] == 0);
    return 0;
}
