/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the file effects of a process happen, and how they fail.
 *
 * What the page cache answers happens at once, as a system call does; its completion is told in the
 * same turn or a later one. Syncs, cold reads and removals take their time on threads of their own,
 * in any order.
 */
#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/chance.h"
#include "sim/effect_digest.h"
#include "sim/faults.h"
#include "sim/host_internal.h"

#define CACHED_US_MOST 40 /* until the completion of a call that the page cache answers is told */
#define LATE_ONE_IN    12 /* effects that the process gets to after those that it asked for later */
#define COLD_ONE_IN    8  /* reads that the page cache does not answer */
#define TORN_ONE_IN    2  /* failing writes of which a part happens */

static bool path_is_hit(const struct host *host, const struct pending *pending)
{
    const char *part = host->faults.path;
    if (part == NULL)
        return true;
    const struct span path = files_path(&host->files, &pending->effect);
    return path.length > 0 && memmem(path.data, path.length, part, strlen(part)) != NULL;
}

static uint32_t percent_of(const struct host_faults *faults, enum effect_kind kind)
{
    switch (kind) {
    case EFFECT_WRITE:
        return faults->write_error_percent;
    case EFFECT_READ:
        return faults->read_error_percent;
    case EFFECT_SYNC:
    case EFFECT_SYNC_FOLDER:
        return faults->sync_error_percent;
    case EFFECT_OPEN:
    case EFFECT_TRUNCATE:
    case EFFECT_RENAME:
    case EFFECT_REMOVE:
    case EFFECT_MAKE_FOLDER:
        return faults->open_error_percent;
    default:
        return 0;
    }
}

static enum tally_row row_of(enum effect_kind kind)
{
    switch (kind) {
    case EFFECT_WRITE:
        return TALLY_fault_write_error_mattered;
    case EFFECT_READ:
        return TALLY_fault_read_error_mattered;
    case EFFECT_SYNC:
    case EFFECT_SYNC_FOLDER:
        return TALLY_fault_sync_error_mattered;
    default:
        return TALLY_fault_open_error_mattered;
    }
}

/* How the effect fails, by the windows that are open; `ret_bytes`: what a write does before. */
static int error_draw(struct host *host, const struct pending *pending, uint64_t *ret_bytes)
{
    const enum effect_kind kind = pending->effect.kind;
    const uint32_t percent = percent_of(&host->faults, kind);
    *ret_bytes = 0;
    if (percent == 0 || !path_is_hit(host, pending) || chance_below(&host->rng, 100) >= percent)
        return ERR_NONE;
    sim_count(host->sim, row_of(kind));
    if (kind == EFFECT_WRITE && chance_one_in(&host->rng, TORN_ONE_IN)) {
        sim_count(host->sim, TALLY_torn_write);
        *ret_bytes = chance_below(&host->rng, 4096);
    }
    sim_tell(host->sim, host, "disk", "an effect fails: number %llu",
             (unsigned long long)pending->number);
    return ERR_IO;
}

static uint64_t file_of(const struct effect *effect)
{
    if (effect->kind == EFFECT_WRITE)
        return effect->write.file;
    return effect->kind == EFFECT_TRUNCATE ? effect->range.file : 0;
}

/* The contract gives a sync only what was told before it was asked for: changes that have happened
 * and were not told yet are not covered, though a real device would have them. */
static uint64_t covers_told(struct list *list, uint64_t file, uint64_t covers)
{
    for (struct list *at = list->next; at != list; at = at->next) {
        const struct pending *pending = container_of(at, struct pending, place);
        const bool changed = pending->happened && file_of(&pending->effect) == file;
        if (changed && pending->before < covers)
            covers = pending->before;
    }
    return covers;
}

static void submitted(struct host *host, struct pending *pending)
{
    const struct effect *effect = &pending->effect;
    pending->covers = files_submitted(&host->files, effect);
    if (effect->kind != EFFECT_SYNC)
        return;
    pending->covers = covers_told(&host->pendings, effect->file, pending->covers);
    pending->covers = covers_told(&host->arrived, effect->file, pending->covers);
}

static void happen(struct host *host, struct pending *pending)
{
    CHECK(pending->digest == effect_digest(&pending->effect));
    if (file_of(&pending->effect) != 0)
        pending->before = files_sequence(&host->files, &pending->effect);
    pending->happened = true;
    uint64_t bytes_max;
    const int error = error_draw(host, pending, &bytes_max);
    files_carry_out(&host->files, &pending->effect, pending->covers, error, bytes_max,
                    &pending->completion);
    if (pending->completion.error == ERR_NO_SPACE)
        sim_count(host->sim, TALLY_fault_disk_full_mattered);
}

static void done_later(struct task *task)
{
    struct pending *pending = container_of(task, struct pending, task);
    host_happened(pending->host, pending);
}

/* A thread is through with it. */
static void happen_later(struct task *task)
{
    struct pending *pending = container_of(task, struct pending, task);
    happen(pending->host, pending);
    host_happened(pending->host, pending);
}

static bool takes_time(struct host *host, enum effect_kind kind)
{
    switch (kind) {
    case EFFECT_SYNC:
    case EFFECT_SYNC_FOLDER:
    case EFFECT_REMOVE:
        return true;
    case EFFECT_READ:
        return chance_one_in(&host->rng, COLD_ONE_IN);
    default:
        /* The contract allows any order, and a process may be killed before it got so far. */
        return chance_one_in(&host->rng, LATE_ONE_IN);
    }
}

static uint64_t duration_draw(struct host *host, enum effect_kind kind)
{
    const bool syncs = kind == EFFECT_SYNC || kind == EFFECT_SYNC_FOLDER || kind == EFFECT_REMOVE;
    const uint64_t most = syncs                 ? host->knobs.sync_us_most
                          : kind == EFFECT_READ ? host->knobs.read_us_most
                                                : CACHED_US_MOST;
    uint64_t duration_us = chance_between(&host->rng, 1, most);
    if (host->faults.disk_factor > 1) {
        duration_us *= host->faults.disk_factor;
        sim_count(host->sim, TALLY_fault_slow_disk_mattered);
    }
    return duration_us;
}

static void stall_perhaps(struct host *host, enum effect_kind kind)
{
    if (kind != EFFECT_WRITE || host->faults.stall_us == 0)
        return;
    host_pause(host, chance_between(&host->rng, 1, host->faults.stall_us));
    sim_count(host->sim, TALLY_fault_write_stall_mattered);
}

static bool list_writes(const struct list *list, uint64_t file)
{
    for (struct list *place = list->next; place != list; place = place->next) {
        const struct effect *effect = &container_of(place, struct pending, place)->effect;
        if (effect->kind == EFFECT_WRITE && effect->file == file)
            return true;
    }
    return false;
}

/* Whether the sync that is asked for meets a write of which the core does not know yet that it
 * happened. */
static void count_sync(struct host *host, const struct effect *effect)
{
    if (effect->kind == EFFECT_SYNC &&
        (list_writes(&host->pendings, effect->file) || list_writes(&host->arrived, effect->file)))
        sim_count(host->sim, TALLY_sync_while_writing);
}

static void moment_perhaps(struct host *host, const struct pending *pending)
{
    static const uint8_t moments[EFFECT_STOPPED + 1] = {
        [EFFECT_WRITE] = MOMENT_WRITE_IN_FLIGHT,
        [EFFECT_SYNC] = MOMENT_SYNC_IN_FLIGHT,
        [EFFECT_SYNC_FOLDER] = MOMENT_FOLDER_SYNC_IN_FLIGHT,
        [EFFECT_RENAME] = MOMENT_RENAME_IN_FLIGHT,
        [EFFECT_READ] = MOMENT_READ_IN_FLIGHT,
    };
    const enum moment_kind moment = moments[pending->effect.kind];
    if (moment != MOMENT_NONE)
        faults_moment(host->sim->faults, host, moment);
}

void host_file_submit(struct host *host, struct pending *pending)
{
    struct sim *sim = host->sim;
    const enum effect_kind kind = pending->effect.kind;
    count_sync(host, &pending->effect);
    submitted(host, pending);
    if (takes_time(host, kind)) {
        queue_put(&sim->queue, &pending->task, sim->now_us + duration_draw(host, kind),
                  happen_later);
    } else {
        happen(host, pending);
        if (chance_below(&host->rng, 100) < host->knobs.at_once_percent) {
            host_happened(host, pending);
        } else {
            queue_put(&sim->queue, &pending->task,
                      sim->now_us + chance_between(&host->rng, 1, CACHED_US_MOST), done_later);
        }
        stall_perhaps(host, kind);
    }
    moment_perhaps(host, pending);
}

void host_happen_perhaps(struct host *host)
{
    for (struct list *at = host->pendings.next; at != &host->pendings; at = at->next) {
        struct pending *pending = container_of(at, struct pending, place);
        if (!task_is_queued(&pending->task) || pending->task.run != happen_later)
            continue;
        const uint64_t drawn = chance_below(&host->rng, 4);
        if (drawn == 0 && pending->effect.kind == EFFECT_WRITE) {
            sim_count(host->sim, TALLY_torn_write);
            files_carry_out(&host->files, &pending->effect, pending->covers, ERR_IO,
                            chance_below(&host->rng, 4096), &pending->completion);
        } else if (drawn > 1) {
            files_carry_out(&host->files, &pending->effect, pending->covers, ERR_NONE, 0,
                            &pending->completion);
        }
    }
}
