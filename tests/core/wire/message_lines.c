/* SPDX-License-Identifier: Apache-2.0 */
/* Prints messages by chance, some of each message in each version, as lines "NAME VERSION HEX". */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/core/wire/random.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)
#define BYTES_MAX       65536
#define ROUNDS          20

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

/* True for what our own nodes say to one another, which Kafka's classes do not know. */
static bool is_ours_alone(const char *name)
{
    return strncmp(name, "raft_", 5) == 0 || strncmp(name, "peer_", 5) == 0 ||
           strncmp(name, "replica_", 8) == 0 || strncmp(name, "quorum_", 7) == 0 ||
           strncmp(name, "lease_", 6) == 0;
}

int main(void)
{
    static uint8_t bytes[BYTES_MAX];
    struct memory memory;
    struct arena arena;
    struct rng rng;

    memory_init(&memory, (struct allocator){.allocate = take, .release = give});
    arena_init(&arena, &memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
    rng_init(&rng, 1);
    for (uint32_t index = 0; index < wire_schemas_count; index++) {
        const struct wire_schema *schema = wire_schemas[index];
        if (is_ours_alone(schema->name))
            continue;
        const int rounds = (schema->version_max - schema->version_min + 1) * ROUNDS;
        for (int round = 0; round < rounds; round++) {
            const int16_t version = (int16_t)(schema->version_min + round / ROUNDS);
            const void *message = random_message(schema, version, &rng, &arena);
            struct wire_writer writer = {.data = bytes, .capacity = sizeof(bytes)};
            CHECK(wire_encode(schema, version, message, &writer) == ERR_NONE);
            printf("%s %d ", schema->name, version);
            for (size_t i = 0; i < writer.length; i++)
                printf("%02x", bytes[i]);
            putchar('\n');
            arena_reset(&arena);
        }
    }
    return ferror(stdout) || fflush(stdout) != 0;
}
