/* SPDX-License-Identifier: Apache-2.0 */
#include "core/effect.h"

/* Texts of one turn; a line that finds no room is dropped rather than memory taken without end. */
#define EFFECTS_TEXT_BYTES_MAX ((size_t)1024 * 1024)

void effects_init(struct effects *effects, struct memory *memory)
{
    *effects = (struct effects){.memory = memory};
    arena_init(&effects->arena, memory, MEMORY_STATE, EFFECTS_TEXT_BYTES_MAX);
}

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    effects->items = memory_grow(effects->memory, effects->items, &effects->capacity,
                                 effects->count + 1, sizeof(*effects->items));
    struct effect *effect = &effects->items[effects->count++];
    *effect = (struct effect){.kind = kind};
    return effect;
}

void effects_clear(struct effects *effects)
{
    effects->count = 0;
    arena_reset(&effects->arena);
}

void effects_free(struct effects *effects)
{
    effects_clear(effects);
    memory_give(effects->memory, MEMORY_STATE, effects->items,
                effects->capacity * sizeof(*effects->items));
    effects->items = NULL;
    effects->capacity = 0;
}
