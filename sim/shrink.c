/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/shrink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/faults.h"
#include "sim/memory.h"
#include "sim/run.h"

#define TRY_SECONDS_MOST 60

enum { CHILD_FAILS = 0, CHILD_DIFFERS = 1 };

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint32_t shrink_actions(const struct scenario *scenario)
{
    return scenario->faults_count + scenario->clients_count;
}

/* True when the judge objects to the scenario; in a process of its own, since it may crash. */
static bool fails(struct shrink *shrink, const struct scenario *scenario)
{
    shrink->tries++;
    if (shrink->progress != NULL)
        shrink->progress(shrink->context, shrink, scenario);
    const pid_t child = fork();
    if (child == 0) {
        static struct run_result result;
        alarm(TRY_SECONDS_MOST);
        run_once(scenario, shrink->seed, NULL, NULL, &result);
        _exit(strcmp(result.judge, shrink->judge) == 0 ? CHILD_FAILS : CHILD_DIFFERS);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == CHILD_FAILS;
}

/* The scenario with the faults that fired as faults of their own, up to the end of the run. False
 * when the judge does not object. */
static bool faults_fix(struct shrink *shrink, struct scenario *scenario)
{
    const struct sim_options options = {0};
    char reason[VIOLATION_TEXT_BYTES];
    struct sim *sim = sim_new(scenario, shrink->seed, &options, reason, sizeof(reason));
    if (sim == NULL)
        return false;
    sim_run(sim);
    const bool objected =
        sim->violation.result != SIM_PASSED && strcmp(sim->violation.judge, shrink->judge) == 0;
    uint32_t count = 0;
    const struct scenario_fault *fired = faults_fired(sim->faults, &count);
    struct scenario fixed = *scenario;
    uint64_t load_ms = sim->load_lasts_us / 1000;
    if (objected && sim->phase == SIM_LOAD)
        load_ms = (sim->violation.at_us - sim->load_us) / 1000 + 1;
    fixed.load_ms = (struct range){load_ms, load_ms};
    /* What a whole run brings about is no part of what a shorter one shows. */
    if (strcmp(shrink->judge, "expected") != 0)
        fixed.expect.acked_least = fixed.expect.consumed_least = 0;
    fixed.draws_faults = false;
    fixed.faults_count = count;
    fixed.faults = sim_allocate(NULL, (count + 1) * sizeof(*fixed.faults));
    for (uint32_t i = 0; i < count; i++) {
        fixed.faults[i] = fired[i];
        if (fired[i].path != NULL)
            fixed.faults[i].path = sim_text_copy(fired[i].path, strlen(fired[i].path));
    }
    sim_free(sim);
    shrink->faults_at_first = count;
    if (objected && fails(shrink, &fixed)) {
        struct scenario_fault *former = scenario->faults;
        for (uint32_t i = 0; i < scenario->faults_count; i++)
            free(former[i].path);
        free(former);
        *scenario = fixed;
    } else {
        for (uint32_t i = 0; i < count; i++)
            free(fixed.faults[i].path);
        free(fixed.faults);
    }
    return objected;
}

/* Tries the scenario without items `from` to `from + count` of one of its arrays; takes them out
 * when the judge objects still. */
static bool cut(struct shrink *shrink, struct scenario *scenario, void *items, size_t size,
                uint32_t *items_count, uint32_t from, uint32_t count)
{
    char *const first = (char *)items + from * size;
    const size_t rest = (*items_count - from - count) * size;
    char *const kept = sim_allocate(NULL, count * size);
    memcpy(kept, first, count * size);
    memmove(first, first + count * size, rest);
    *items_count -= count;
    const bool shorter = fails(shrink, scenario);
    if (!shorter) {
        memmove(first + count * size, first, rest);
        memcpy(first, kept, count * size);
        *items_count += count;
    }
    free(kept);
    return shorter;
}

/* Takes out of an array what is not needed, large parts first. True when it became shorter. The
 * texts of what goes are left to the end of the program. */
static bool cut_all(struct shrink *shrink, struct scenario *scenario, void *items, size_t size,
                    uint32_t *count, uint64_t until_ms)
{
    const uint32_t before = *count;
    for (uint32_t part = (*count + 1) / 2; part > 0; part = part == 1 ? 0 : (part + 1) / 2) {
        for (uint32_t from = 0; from < *count && now_ms() < until_ms;) {
            const uint32_t length = part < *count - from ? part : *count - from;
            if (!cut(shrink, scenario, items, size, count, from, length))
                from += length;
        }
    }
    return *count < before;
}

static bool clients_fewer(struct shrink *shrink, struct scenario *scenario, uint64_t until_ms)
{
    bool any = false;
    for (uint32_t i = 0; i < scenario->clients_count && now_ms() < until_ms; i++) {
        const uint32_t count = scenario->clients[i].count;
        if (count == 1)
            continue;
        scenario->clients[i].count = 1;
        if (fails(shrink, scenario))
            any = true;
        else
            scenario->clients[i].count = count;
    }
    return any;
}

bool shrink_run(struct shrink *shrink, struct scenario *scenario)
{
    const uint64_t until_ms = now_ms() + shrink->ms_most;
    if (!faults_fix(shrink, scenario))
        return false;
    bool shorter = true;
    while (shorter && now_ms() < until_ms) {
        shorter = cut_all(shrink, scenario, scenario->faults, sizeof(*scenario->faults),
                          &scenario->faults_count, until_ms);
        shorter |= cut_all(shrink, scenario, scenario->clients, sizeof(*scenario->clients),
                           &scenario->clients_count, until_ms);
        shorter |= clients_fewer(shrink, scenario, until_ms);
    }
    return true;
}
