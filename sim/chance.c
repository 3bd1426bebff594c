/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/chance.h"

#include <string.h>

void chance_stream(struct rng *rng, uint64_t seed, const char *name, uint64_t number)
{
    uint64_t mixed = seed;
    for (size_t i = 0; name[i] != '\0'; i++)
        mixed = (mixed ^ (uint8_t)name[i]) * 0x100000001b3;
    rng_init(rng, mixed ^ (number * 0x9e3779b97f4a7c15));
}

uint64_t chance_below(struct rng *rng, uint64_t count)
{
    /* The bias of a remainder is far below what any campaign could see. */
    return count == 0 ? 0 : rng_next(rng) % count;
}

uint64_t chance_between(struct rng *rng, uint64_t least, uint64_t most)
{
    return most <= least ? least : least + chance_below(rng, most - least + 1);
}

bool chance_one_in(struct rng *rng, uint64_t count)
{
    return count != 0 && chance_below(rng, count) == 0;
}
