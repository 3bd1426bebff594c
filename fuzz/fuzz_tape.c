/* SPDX-License-Identifier: Apache-2.0 */
/* Any decisions in a simulated world of brokers, clients and faults (fuzz/tape_world.h). Whatever
 * they are, no judge objects. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "fuzz/tape_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct chance_tape tape = {.left = span_of(data + 1, size - 1)};
    struct sim *sim = tape_world_new(data[0], &tape);
    if (sim_run(sim) != SIM_PASSED) {
        const struct violation *violation = &sim->violation;
        fprintf(stderr, "%s: %s\n  rule    %s\n  source  %s\n  step    %llu\n", violation->judge,
                violation->text, violation->rule, violation->source,
                (unsigned long long)violation->step);
        abort();
    }
    sim_free(sim);
    return 0;
}
