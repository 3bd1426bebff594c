/* SPDX-License-Identifier: Apache-2.0 */
/* seed_tape FOLDER: writes seeds of fuzz_tape: the first decisions of some worlds. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "fuzz/tape_world.h"

#define WORLDS     32
#define TAPE_BYTES 2048

static void write_seed(const char *folder, uint8_t seed)
{
    uint8_t bytes[1 + TAPE_BYTES] = {seed};
    struct chance_tape tape = {.kept = bytes + 1, .kept_limit = TAPE_BYTES};
    struct sim *sim = tape_world_new(seed, &tape);
    sim_run(sim);
    sim_free(sim);
    char *path = NULL;
    CHECK(asprintf(&path, "%s/seed-%u", folder, seed) > 0);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    CHECK(fwrite(bytes, 1 + tape.kept_length, 1, file) == 1 && fclose(file) == 0);
    free(path);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: seed_tape FOLDER\n", stderr);
        return 2;
    }
    for (uint8_t seed = 0; seed < WORLDS; seed++)
        write_seed(argv[1], seed);
    return 0;
}
