/* SPDX-License-Identifier: Apache-2.0 */
/* seed_wire FOLDER: writes the seeds of fuzz_wire, a message by chance for each plan of each
 * message (versions that look the same share one), in a file NAME-vVERSION. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "fuzz/wire_choice.h"
#include "tests/core/wire/random.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)
#define SEED_BYTES_MAX  600
#define TRIES_MAX       1000

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

static void write_seed(const char *folder, uint32_t index, int16_t version, const uint8_t *bytes,
                       size_t length)
{
    const struct wire_schema *schema = wire_choice(index);
    const uint8_t choice[2] = {(uint8_t)index, (uint8_t)(version - schema->version_min)};
    char *name = NULL;
    CHECK(asprintf(&name, "%s/%s-v%d", folder, schema->name, version) > 0);
    FILE *out = fopen(name, "wb");
    if (out == NULL || fwrite(choice, sizeof(choice), 1, out) != 1 ||
        fwrite(bytes, 1, length, out) != length || fclose(out) != 0) {
        perror(name);
        exit(1);
    }
    free(name);
}

int main(int argc, char **argv)
{
    struct memory memory;
    struct arena arena;
    struct rng rng;
    uint8_t bytes[SEED_BYTES_MAX];

    if (argc != 2) {
        fputs("usage: seed_wire FOLDER\n", stderr);
        return 2;
    }
    memory_init(&memory, (struct allocator){.allocate = take, .release = give});
    arena_init(&arena, &memory, MEMORY_REQUEST, ARENA_BYTES_MAX);
    rng_init(&rng, 1);
    for (uint32_t index = 0; index < wire_choices_count(); index++) {
        const struct wire_schema *schema = wire_choice(index);
        for (int16_t version = schema->version_min; version <= schema->version_max; version++) {
            const int16_t at = (int16_t)(version - schema->version_min);
            if (at > 0 && schema->plans[at] == schema->plans[at - 1])
                continue;
            /* Small ones fuzz best. */
            for (int i = 0; i < TRIES_MAX; i++) {
                struct wire_writer writer = {.data = bytes, .capacity = sizeof(bytes)};
                void *message = random_message(schema, version, &rng, &arena);
                const int error = wire_encode(schema, version, message, &writer);
                arena_reset(&arena);
                if (error == ERR_NONE) {
                    write_seed(argv[1], index, version, bytes, writer.length);
                    break;
                }
            }
        }
    }
    return 0;
}
