/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/chance.h"

#include <string.h>

#define BYTE_VALUES   256
#define IN_EVERY_BYTE 0x0101010101010101

void chance_stream(struct chance *chance, const struct chance_source *source, const char *name,
                   uint64_t number)
{
    uint64_t mixed = source->seed;
    for (size_t i = 0; name[i] != '\0'; i++)
        mixed = (mixed ^ (uint8_t)name[i]) * 0x100000001b3;
    rng_init(&chance->rng, mixed ^ (number * 0x9e3779b97f4a7c15));
    chance->tape = source->tape;
}

static void keep(struct chance_tape *tape, uint64_t value, size_t bytes)
{
    if (bytes > tape->kept_limit - tape->kept_length) {
        tape->kept_limit = tape->kept_length; /* a smaller one would stand in its place */
        return;
    }
    while (bytes-- > 0)
        tape->kept[tape->kept_length++] = (uint8_t)(value >> (8 * bytes));
}

/* chance_below(), where there is a tape. */
static uint64_t tape_below(struct chance *chance, uint64_t count)
{
    struct chance_tape *tape = chance->tape;
    /* Drawn in either case: noise that comes later does not depend on which it is. */
    const uint64_t drawn = rng_next(&chance->rng) % count;
    uint64_t value = 0;
    size_t bytes = 0;
    for (uint64_t last = count - 1; last > 0; last >>= 8)
        bytes++;
    if (bytes > tape->left.length) {
        tape->left = SPAN_NULL;
        keep(tape, drawn, bytes);
        return drawn;
    }
    for (; bytes > 0; bytes--) {
        value = value << 8 | tape->left.data[0];
        tape->left = span_of(tape->left.data + 1, tape->left.length - 1);
    }
    return value % count;
}

uint64_t chance_draw(struct chance *chance)
{
    if (chance->tape == NULL)
        return rng_next(&chance->rng);
    return tape_below(chance, BYTE_VALUES) * IN_EVERY_BYTE;
}

uint64_t chance_noise(struct chance *chance)
{
    return rng_next(&chance->rng);
}

uint64_t chance_below(struct chance *chance, uint64_t count)
{
    if (count == 0)
        return 0;
    /* The bias of a remainder is far below what any campaign could see. */
    return chance->tape == NULL ? rng_next(&chance->rng) % count : tape_below(chance, count);
}

uint64_t chance_between(struct chance *chance, uint64_t least, uint64_t most)
{
    return most <= least ? least : least + chance_below(chance, most - least + 1);
}

bool chance_one_in(struct chance *chance, uint64_t count)
{
    return count != 0 && chance_below(chance, count) == 0;
}
