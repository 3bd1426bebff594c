/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/faults.h"

#include "core/wire/error.h"

static const struct {
    enum effect_kind kind;
    int error;
    uint64_t bytes; /* that a write does all the same */
} faults[FAULTS] = {
    {EFFECT_WRITE, ERR_IO, 0},  {EFFECT_WRITE, ERR_IO, 30},      {EFFECT_WRITE, ERR_NO_SPACE, 70},
    {EFFECT_SYNC, ERR_IO, 0},   {EFFECT_SYNC_FOLDER, ERR_IO, 0}, {EFFECT_READ, ERR_IO, 0},
    {EFFECT_OPEN, ERR_IO, 0},   {EFFECT_TRUNCATE, ERR_IO, 0},    {EFFECT_RESERVE, ERR_NO_SPACE, 0},
    {EFFECT_LIST, ERR_IO, 0},   {EFFECT_MAKE_FOLDER, ERR_IO, 0}, {EFFECT_RENAME, ERR_IO, 0},
    {EFFECT_REMOVE, ERR_IO, 0},
};

void fault_add(struct world *world, uint8_t which, uint8_t skip)
{
    world_fail(world, faults[which % FAULTS].kind, NULL, skip, 1, faults[which % FAULTS].error,
               faults[which % FAULTS].bytes);
}

void fault_hold(struct world *world, uint8_t which)
{
    world_hold(world, faults[which % FAULTS].kind, NULL);
}
