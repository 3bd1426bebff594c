/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "sim/chance.h"
#include "sim/clients.h"
#include "sim/faults.h"
#include "sim/host.h"
#include "sim/judge.h"
#include "sim/knobs.h"
#include "sim/memory.h"
#include "sim/network.h"
#include "sim/node_file.h"
#include "sim/peer.h"
#include "sim/setup.h"

#define BOOT_MS_MOST ((uint64_t)60000)
#define POLL_US      ((uint64_t)10000)   /* between two looks whether a phase has done its work */
#define QUIET_US     ((uint64_t)1000000) /* for what goes on behind replies: syncs after acks=1 */
#define TEXT_BYTES   512

static void phase_due(struct task *task);

static void phase_begin(struct sim *sim, enum sim_phase phase, uint64_t lasts_us)
{
    static const char *const names[] = {"boot", "load", "settle", "audit", "end"};
    sim->phase = phase;
    sim->phase_ends_us = sim->now_us + lasts_us;
    sim_tell(sim, NULL, "phase", "%s", names[phase]);
    judges_phase(sim->judges, phase);
}

static uint64_t range_draw(struct sim *sim, struct range range)
{
    return chance_between(&sim->rng, range.least, range.most);
}

/* False with the reason when a setting is refused. */
static bool hosts_new(struct sim *sim, char *ret_reason, size_t reason_bytes)
{
    const struct scenario *scenario = sim->scenario;
    struct host *host = NULL;
    knobs_settings_draw(sim, &sim->drawn);
    for (uint32_t i = 0; i < scenario->nodes_count; i++) {
        struct settings_list settings;
        struct chance rng;
        chance_stream(&rng, &sim->source, "file", i + 1);
        node_file_draw(sim, &rng, i + 1, &settings);
        host = host_new(sim, i + 1, &settings, ret_reason, reason_bytes);
        settings_list_free(&settings);
        if (host == NULL)
            break;
        sim->hosts[sim->hosts_count++] = host;
    }
    return host != NULL;
}

struct sim *sim_new(const struct scenario *scenario, uint64_t seed,
                    const struct sim_options *options, char *ret_reason, size_t reason_bytes)
{
    struct sim *sim = sim_allocate(NULL, sizeof(*sim));
    *sim = (struct sim){.scenario = scenario, .source = {seed, options->tape}, .options = *options};
    sim->sink = options->sink;
    sim->sink_context = options->sink_context;
    trace_digest_init(&sim->digest);
    list_init(&sim->peers);
    queue_init(&sim->queue, &sim->source);
    chance_stream(&sim->rng, &sim->source, "sim", 0);
    if (!hosts_new(sim, ret_reason, reason_bytes)) {
        sim_free(sim);
        return NULL;
    }
    sim->network = network_new(sim);
    knobs_draw(sim);
    sim->judges = judges_new(sim);
    sim->clients = clients_new(sim);
    sim->faults = faults_new(sim);
    sim->setup = setup_new(sim);
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL)
        return;
    queue_clear(&sim->queue);
    setup_free(sim->setup);
    faults_free(sim->faults);
    clients_free(sim->clients);
    judges_free(sim->judges);
    peer_free_all(sim);
    network_free(sim->network);
    for (uint32_t i = 0; i < sim->hosts_count; i++)
        host_free(sim->hosts[i]);
    settings_list_free(&sim->drawn);
    queue_free(&sim->queue);
    free(sim);
}

static void poll(struct sim *sim)
{
    queue_put(&sim->queue, &sim->phase_task, sim->now_us + POLL_US, phase_due);
}

static void load_begins(struct sim *sim)
{
    const uint64_t lasts_us = range_draw(sim, sim->scenario->load_ms) * 1000;
    sim->load_us = sim->now_us;
    sim->load_lasts_us = lasts_us;
    phase_begin(sim, SIM_LOAD, lasts_us);
    faults_start(sim->faults);
    clients_start(sim->clients);
    queue_put(&sim->queue, &sim->phase_task, sim->now_us + lasts_us, phase_due);
}

static void settle_begins(struct sim *sim)
{
    phase_begin(sim, SIM_SETTLE, sim->scenario->settle_ms * 1000);
    faults_end(sim->faults);
    network_calm(sim->network);
    clients_settle(sim->clients);
    poll(sim);
}

static void is_late(struct sim *sim, const char *what)
{
    char text[TEXT_BYTES];
    if (sim->phase == SIM_BOOT)
        setup_explain(sim->setup, text, sizeof(text));
    else
        clients_explain(sim->clients, text, sizeof(text));
    sim_object(sim, SIM_LIVENESS, "progress",
               "what was asked ends in time once faults have stopped",
               "liveness: after the last fault every request is answered or given up",
               "%s was not over in time: %s", what, text);
}

/* A node of a cluster may have to wait for the others before it serves, and a replica for what it
 * has missed. */
static bool all_is_well(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        if (sim->hosts[i]->state != HOST_SERVING && !sim->hosts[i]->is_rotten)
            return false;
    }
    return judges_are_all_in_sync(sim->judges);
}

static void settle_goes_on(struct sim *sim, bool late)
{
    const bool clients_are_late = late && !clients_are_done(sim->clients);
    const bool done = clients_are_done(sim->clients) && (late || all_is_well(sim));
    if (done && sim->done_us == 0)
        sim->done_us = sim->now_us;
    /* One that was done may have connected anew since, and ask who it is. */
    if (done && sim->now_us >= sim->done_us + QUIET_US) {
        phase_begin(sim, SIM_AUDIT, sim->scenario->settle_ms * 1000);
        clients_audit(sim->clients);
        poll(sim);
    } else if (clients_are_late) {
        is_late(sim, "settling");
    } else {
        poll(sim); /* what is not well by now is for judges to tell */
    }
}

static void phase_due(struct task *task)
{
    struct sim *sim = container_of(task, struct sim, phase_task);
    const bool late = sim->now_us >= sim->phase_ends_us;
    switch (sim->phase) {
    case SIM_BOOT:
        if (setup_is_done(sim->setup))
            load_begins(sim);
        else if (late)
            is_late(sim, "setting up");
        else
            poll(sim);
        break;
    case SIM_LOAD:
        settle_begins(sim);
        break;
    case SIM_SETTLE:
        settle_goes_on(sim, late);
        break;
    case SIM_AUDIT:
        if (clients_audit_is_done(sim->clients))
            phase_begin(sim, SIM_END, 0);
        else if (late)
            is_late(sim, "the audit");
        else
            poll(sim);
        break;
    case SIM_END:
        break;
    }
}

enum sim_result sim_run(struct sim *sim)
{
    phase_begin(sim, SIM_BOOT, BOOT_MS_MOST * 1000);
    for (uint32_t i = 0; i < sim->hosts_count; i++)
        host_start(sim->hosts[i]);
    setup_start(sim->setup);
    poll(sim);
    while (!sim_is_over(sim) &&
           (sim->options.steps_most == 0 || sim->steps < sim->options.steps_most)) {
        struct task *task = queue_take(&sim->queue);
        CHECK(task != NULL && task->due_us >= sim->now_us);
        sim->now_us = task->due_us;
        task->run(task);
    }
    return sim->violation.result;
}

void sim_count(struct sim *sim, enum tally_row row)
{
    sim->tally.counts[row]++;
}

void sim_tell(struct sim *sim, const struct host *host, const char *kind, const char *format, ...)
{
    const uint64_t number = ++sim->trace_number;
    if (sim->sink != NULL) {
        char text[TEXT_BYTES];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        sim->sink->action(sim->sink_context, sim, host, kind, text, number, sim->queue.cause);
    }
    sim->queue.cause = number;
}

void sim_object(struct sim *sim, enum sim_result result, const char *judge, const char *rule,
                const char *source, const char *format, ...)
{
    struct violation *violation = &sim->violation;
    if (violation->result != SIM_PASSED)
        return;
    *violation = (struct violation){.result = result,
                                    .judge = judge,
                                    .rule = rule,
                                    .source = source,
                                    .at_us = sim->now_us,
                                    .step = sim->steps,
                                    .cause = sim->queue.cause};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(violation->text, sizeof(violation->text), format, arguments);
    va_end(arguments);
    if (sim->sink != NULL)
        sim->sink->violated(sim->sink_context, sim, violation);
}
