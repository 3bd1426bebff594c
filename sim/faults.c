/* SPDX-License-Identifier: Apache-2.0 */
/* When faults come; what each of them does is in sim/fault_kinds.c. */
#include "sim/faults.h"

#include <stdlib.h>

#include "sim/chance.h"
#include "sim/fault_kinds.h"
#include "sim/memory.h"
#include "sim/swarm.h"

#define FAULTS_DRAWN_MAX 16
#define REVIVE_MS_MOST   200   /* until an operator starts what gave up */
#define MOMENT_US_MOST   300   /* from a moment to the fault that waited for it */
#define WAIT_US          20000 /* between two looks whether a fault can happen */

/* One line of the scenario, or one that the seed drew. */
struct plan {
    struct task task;
    struct faults *faults;
    const struct scenario_fault *fault;
    struct host *host; /* of the moment that it waited for */
    uint64_t armed_us; /* moments before do not count */
    uint64_t until_us; /* no more after this */
    uint64_t nth;      /* moments that are still to come; 0: it waits for none */
};

struct faults {
    struct sim *sim;
    struct chance rng;
    struct chance ties; /* of what is planned here: plans may go without a change to the rest */
    struct scenario_fault drawn[FAULTS_DRAWN_MAX];
    uint32_t drawn_count;
    struct plan *plans;
    uint32_t plans_count;
    struct scenario_fault *fired;
    uint32_t fired_count;
    uint32_t fired_capacity;
    uint64_t started_us;
    struct list lasting; /* struct fault_window */
    bool ended;
};

static void plan_due(struct task *task);

struct faults *faults_new(struct sim *sim)
{
    struct faults *faults = sim_allocate(NULL, sizeof(*faults));
    *faults = (struct faults){.sim = sim};
    chance_stream(&faults->rng, &sim->source, "faults", 0);
    chance_stream(&faults->ties, &sim->source, "fault ties", 0);
    list_init(&faults->lasting);
    if (sim->scenario->draws_faults)
        faults->drawn_count = swarm_draw(sim, faults->drawn, FAULTS_DRAWN_MAX);
    faults->plans_count = sim->scenario->faults_count + faults->drawn_count;
    faults->plans = sim_allocate(NULL, faults->plans_count * sizeof(*faults->plans));
    for (uint32_t i = 0; i < faults->plans_count; i++) {
        const uint32_t own = sim->scenario->faults_count;
        faults->plans[i] =
            (struct plan){.faults = faults,
                          .fault = i < own ? &sim->scenario->faults[i] : &faults->drawn[i - own]};
    }
    return faults;
}

static void window_ends(struct fault_window *window)
{
    list_remove(&window->place);
    queue_cancel(&window->sim->queue, &window->task);
    fault_end(window);
    free(window);
}

static void window_due(struct task *task)
{
    window_ends(container_of(task, struct fault_window, task));
}

void faults_free(struct faults *faults)
{
    if (faults == NULL)
        return;
    while (!list_empty(&faults->lasting)) {
        struct fault_window *window =
            container_of(faults->lasting.next, struct fault_window, place);
        list_remove(&window->place);
        free(window);
    }
    free(faults->fired);
    free(faults->plans);
    free(faults);
}

static uint64_t draw_us(struct faults *faults, struct range range_ms)
{
    return chance_between(&faults->rng, range_ms.least * 1000, range_ms.most * 1000);
}

static void plan_put(struct plan *plan, uint64_t at_us)
{
    if (at_us <= plan->until_us)
        queue_put_aside(&plan->faults->sim->queue, &plan->task, at_us, plan_due,
                        &plan->faults->ties);
}

/* What fired, as a fault of its own that would do the same again. */
static void fired_note(struct faults *faults, const struct fault_window *window, uint64_t draw)
{
    if (faults->fired_count == faults->fired_capacity) {
        faults->fired_capacity = faults->fired_capacity * 2 + 16;
        faults->fired =
            sim_allocate(faults->fired, faults->fired_capacity * sizeof(*faults->fired));
    }
    const uint64_t at_us = faults->sim->now_us - faults->started_us;
    /* Where it happened says nothing of these, unless it was asked for. */
    const bool splits_all =
        window->fault->kind == FAULT_PARTITION || window->fault->kind == FAULT_ONE_WAY;
    faults->fired[faults->fired_count++] =
        (struct scenario_fault){.kind = window->fault->kind,
                                .node = splits_all ? window->fault->node : window->host->number,
                                .other_node = window->fault->other_node,
                                .at_us = {at_us, at_us},
                                .lasts_ms = window->fault->lasts_ms,
                                .flap_ms = window->fault->flap_ms,
                                .amount = window->fault->amount,
                                .path = window->fault->path,
                                .draw = draw};
}

static void fire_at(struct faults *faults, const struct scenario_fault *fault, struct host *host)
{
    struct sim *sim = faults->sim;
    struct fault_window *window = sim_allocate(NULL, sizeof(*window));
    *window = (struct fault_window){.sim = sim, .host = host, .fault = fault};
    const uint64_t draw = fault->draw != 0 ? fault->draw : faults->fired_count + 1;
    chance_stream(&window->rng, &sim->source, "fault", draw);
    window->lasts_us =
        chance_between(&window->rng, fault->lasts_ms.least * 1000, fault->lasts_ms.most * 1000);
    fired_note(faults, window, draw);
    fault_begin(window);
    list_append(&faults->lasting, &window->place);
    queue_put_aside(&sim->queue, &window->task, sim->now_us + window->lasts_us, window_due,
                    &window->rng);
}

static void hosts_swap(struct host **one, struct host **other)
{
    struct host *kept = *one;
    *one = *other;
    *other = kept;
}

/* On the machine of its moment, or the one that it names, or any; and on others with it. False when
 * it cannot happen there now. */
static bool fire(struct plan *plan)
{
    struct faults *faults = plan->faults;
    const struct sim *sim = faults->sim;
    const struct scenario_fault *fault = plan->fault;
    struct host *hosts[SIM_HOSTS_MAX];
    struct host *host = plan->host;
    if (host == NULL) {
        const uint64_t drawn = chance_below(&faults->rng, sim->hosts_count);
        host = sim->hosts[fault->node != 0 ? fault->node - 1 : drawn];
    }
    if (!fault_can_begin(fault->kind, host))
        return false;
    uint64_t count = chance_between(&faults->rng, fault->count.least, fault->count.most);
    memcpy(hosts, sim->hosts, sizeof(hosts));
    if (fault->hits_all_nodes)
        count = sim->hosts_count;
    else
        hosts_swap(&hosts[0], &hosts[host->number - 1]);
    fire_at(faults, fault, hosts[0]);
    for (uint32_t i = 1; i < count && i < sim->hosts_count; i++) {
        if (!fault->hits_all_nodes)
            hosts_swap(&hosts[i], &hosts[i + chance_below(&faults->rng, sim->hosts_count - i)]);
        fire_at(faults, fault, hosts[i]);
    }
    return true;
}

static void plan_due(struct task *task)
{
    struct plan *plan = container_of(task, struct plan, task);
    if (!fire(plan)) {
        plan_put(plan, plan->faults->sim->now_us + WAIT_US);
        return;
    }
    plan->host = NULL;
    if (plan->fault->every_ms.most > 0)
        plan_put(plan, plan->faults->sim->now_us + draw_us(plan->faults, plan->fault->every_ms));
}

void faults_start(struct faults *faults)
{
    const uint64_t now_us = faults->sim->now_us;
    faults->started_us = now_us;
    for (uint32_t i = 0; i < faults->plans_count; i++) {
        struct plan *plan = &faults->plans[i];
        const struct scenario_fault *fault = plan->fault;
        plan->armed_us = now_us + draw_us(faults, fault->from_ms);
        plan->until_us =
            fault->to_ms.most == 0 ? QUEUE_NEVER : now_us + draw_us(faults, fault->to_ms);
        if (fault->when != MOMENT_NONE)
            plan->nth = chance_between(&faults->rng, fault->nth.least, fault->nth.most);
        else if (fault->every_ms.most > 0)
            plan_put(plan, plan->armed_us + draw_us(faults, fault->every_ms));
        else
            plan_put(plan, now_us + draw_us(faults, fault->at_ms) +
                               chance_between(&faults->rng, fault->at_us.least, fault->at_us.most));
    }
}

void faults_end(struct faults *faults)
{
    faults->ended = true;
    for (uint32_t i = 0; i < faults->plans_count; i++) {
        queue_cancel(&faults->sim->queue, &faults->plans[i].task);
        faults->plans[i].nth = 0;
    }
    while (!list_empty(&faults->lasting))
        window_ends(container_of(faults->lasting.next, struct fault_window, place));
    for (uint32_t i = 0; i < faults->sim->hosts_count; i++) {
        struct host *host = faults->sim->hosts[i];
        if (host->state != HOST_SERVING)
            host_start_in(host, 0);
    }
}

void faults_moment(struct faults *faults, struct host *host, enum moment_kind moment)
{
    for (uint32_t i = 0; faults != NULL && i < faults->plans_count; i++) {
        struct plan *plan = &faults->plans[i];
        if (plan->nth == 0 || plan->fault->when != moment || faults->sim->now_us < plan->armed_us ||
            (plan->fault->node != 0 && plan->fault->node != host->number) || --plan->nth > 0)
            continue;
        plan->host = host;
        plan_put(plan, faults->sim->now_us + chance_below(&faults->rng, MOMENT_US_MOST));
        if (plan->fault->again)
            plan->nth = chance_between(&faults->rng, plan->fault->nth.least, plan->fault->nth.most);
    }
}

void faults_host_ended(struct faults *faults, struct host *host)
{
    const bool gave_up = host->last_end == HOST_END_FAILED;
    if (faults == NULL || (!gave_up && !faults->ended))
        return;
    struct chance rng;
    chance_stream(&rng, &faults->sim->source, host->name, host->boots);
    host_start_in(host, 1000 * chance_between(&rng, 1, REVIVE_MS_MOST));
}

bool faults_are_none(const struct faults *faults)
{
    return faults->plans_count == 0;
}

const struct scenario_fault *faults_fired(const struct faults *faults, uint32_t *ret_count)
{
    *ret_count = faults->fired_count;
    return faults->fired;
}
