/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An unclean election that is on record is counted, once, by the node that led the quorum when it
 * was: an operator who watches that count learns that records were given up.
 */
#include "core/metrics.h"
#include "core/view.h"
#include "sim/judge.h"

/* A node's process, as it was after its last step. */
struct process {
    int64_t image_end;
    bool leads;
    uint64_t least; /* that it has counted … */
    uint64_t most;  /* … if it began or ceased to lead in the step in which it heard of one */
};

struct unclean_state {
    struct judge *judge;
    struct image_observer observer;
    int64_t *offsets; /* of the records, rising; one for each partition */
    uint32_t count;
    uint32_t capacity;
    struct process processes[SIM_HOSTS_MAX];
};

static void changed(struct image_observer *observer, const struct image_change *change)
{
    struct unclean_state *state = container_of(observer, struct unclean_state, observer);
    struct judge *judge = state->judge;
    if (change->kind != IMAGE_PARTITION_CHANGED || !change->is_unclean)
        return;
    sim_count(judge->sim, TALLY_unclean_elections);
    state->offsets = memory_grow(&judge->memory, state->offsets, &state->capacity, state->count + 1,
                                 sizeof(*state->offsets));
    state->offsets[state->count++] = judge_truth(judge)->end_offset;
}

static void begin(struct judge *judge)
{
    struct unclean_state *state = judge->state;
    state->judge = judge;
    state->observer.changed = changed;
    judge_observe_truth(judge, &state->observer);
}

/* Elections on record at these offsets. */
static uint64_t between(const struct unclean_state *state, int64_t from, int64_t to)
{
    uint64_t count = 0;
    for (uint32_t i = state->count; i > 0 && state->offsets[i - 1] >= from; i--)
        count += state->offsets[i - 1] < to;
    return count;
}

static void process_look(struct judge *judge, const struct host *host, struct process *process)
{
    struct broker_metrics metrics;
    broker_metrics(host->broker, &metrics);
    judge->judged++;
    if (metrics.unclean_elections < process->least || metrics.unclean_elections > process->most)
        judge_object(judge, "%s has counted %llu unclean elections, and should have %llu to %llu",
                     host->name, (unsigned long long)metrics.unclean_elections,
                     (unsigned long long)process->least, (unsigned long long)process->most);
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    (void)event;
    struct unclean_state *state = judge->state;
    struct process *process = &state->processes[host->number - 1];
    struct quorum_view view;
    if (state->count == 0 || host->broker == NULL || !broker_view_quorum(host->broker, &view))
        return;
    const uint64_t news = between(state, process->image_end, view.image_end);
    process->least += view.leads && process->leads ? news : 0;
    process->most += view.leads || process->leads ? news : 0;
    process->leads = view.leads;
    process->image_end = view.image_end;
    if (news > 0)
        process_look(judge, host, process);
}

static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct unclean_state *state = judge->state;
    if (change == HOST_BOOTED)
        state->processes[host->number - 1] = (struct process){0};
}

static void phase(struct judge *judge, enum sim_phase now)
{
    struct unclean_state *state = judge->state;
    for (uint32_t i = 0; now == SIM_END && i < judge->sim->hosts_count; i++) {
        if (judge->sim->hosts[i]->broker != NULL)
            process_look(judge, judge->sim->hosts[i], &state->processes[i]);
    }
}

static void end(struct judge *judge)
{
    struct unclean_state *state = judge->state;
    list_remove(&state->observer.place);
    memory_give(&judge->memory, MEMORY_STATE, state->offsets,
                state->capacity * sizeof(*state->offsets));
}

const struct judge_kind judge_unclean = {
    .name = "unclean",
    .rule = "an unclean election on record is counted once, by who leads the quorum then",
    .source = "KIP-966; ControllerStats, UncleanLeaderElectionsPerSec",
    .size = sizeof(struct unclean_state),
    .is_of_cluster = true,
    .begin = begin,
    .stepped = stepped,
    .host_changed = host_changed,
    .phase = phase,
    .end = end,
};
