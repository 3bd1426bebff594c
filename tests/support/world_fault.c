/* SPDX-License-Identifier: Apache-2.0 */
/* Which effects of the world fail, and which are held back. */
#include <string.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "tests/support/world_internal.h"

static bool fault_matches(const struct world_fault *fault, const struct world_effect *asked)
{
    return fault->kind == asked->effect.kind &&
           (fault->part[0] == '\0' || strstr(asked->path, fault->part) != NULL);
}

bool faults_hold(const struct world_faults *faults, const struct world_effect *asked)
{
    for (uint32_t i = 0; i < faults->count; i++) {
        if (faults->items[i].holds && fault_matches(&faults->items[i], asked))
            return true;
    }
    return false;
}

int faults_draw(struct world_faults *faults, const struct world_effect *asked, uint64_t *ret_bytes)
{
    for (uint32_t i = 0; i < faults->count; i++) {
        struct world_fault *fault = &faults->items[i];
        if (fault->holds || fault->times == 0 || !fault_matches(fault, asked))
            continue;
        if (fault->skip > 0) {
            fault->skip--;
            continue;
        }
        fault->times--;
        *ret_bytes = fault->bytes;
        return fault->error;
    }
    return ERR_NONE;
}

static struct world_fault *fault_add(struct world *world, enum effect_kind kind, const char *part)
{
    struct world_faults *faults = world_faults_of(world);
    CHECK(faults->count < WORLD_FAULTS_MAX);
    struct world_fault *fault = &faults->items[faults->count++];
    *fault = (struct world_fault){.kind = kind};
    if (part != NULL) {
        CHECK(strlen(part) < sizeof(fault->part));
        memcpy(fault->part, part, strlen(part));
    }
    return fault;
}

void world_fail(struct world *world, enum effect_kind kind, const char *part, uint32_t skip,
                uint32_t times, int error, uint64_t bytes)
{
    struct world_fault *fault = fault_add(world, kind, part);
    fault->skip = skip;
    fault->times = times;
    fault->error = error;
    fault->bytes = bytes;
}

void world_hold(struct world *world, enum effect_kind kind, const char *part)
{
    fault_add(world, kind, part)->holds = true;
}

/* Forgets the faults that hold effects, or those that fail them. */
static void faults_forget(struct world_faults *faults, bool holds)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < faults->count; i++) {
        if (faults->items[i].holds != holds)
            faults->items[kept++] = faults->items[i];
    }
    faults->count = kept;
}

void world_mend(struct world *world)
{
    faults_forget(world_faults_of(world), false);
}

void world_release(struct world *world)
{
    faults_forget(world_faults_of(world), true);
}
