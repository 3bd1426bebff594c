/* SPDX-License-Identifier: Apache-2.0 */
/* A turn of the process: what has arrived goes in, what is asked for comes out. */
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/timer.h"
#include "core/trace/digest.h"
#include "core/wire/error.h"
#include "sim/chance.h"
#include "sim/effect_digest.h"
#include "sim/host_internal.h"
#include "sim/judge.h"
#include "sim/memory.h"
#include "sim/network.h"

#define STEP_US      1  /* that a step takes on a machine that is not slow */
#define WAKE_US_MOST 20 /* until the process runs */
#define LONG_TURN    10

void host_deliver(struct host *host, struct event event, struct span payload, uint64_t cause)
{
    struct sim *sim = host->sim;
    if (!host_runs(host) || sim_is_over(sim))
        return;
    event.mono_us = host_mono_us(host);
    event.wall_ms = host_wall_ms(host);
    const uint64_t number = ++sim->trace_number;
    trace_digest_number(&sim->digest, host->number);
    trace_digest_event(&sim->digest, &event, payload);
    sim->steps++;
    /* Told before it happens: a broker that dies of it has left a trace of it. */
    if (sim->sink != NULL)
        sim->sink->event(sim->sink_context, sim, host, &event, payload, number, cause);
    broker_step(host->broker, &event, &host->effects);
    sim->queue.cause = number;
    judges_stepped(sim->judges, host, &event);
    host_take_effects(host);
}

static struct span payload_of(const struct pending *pending)
{
    const struct completion *completion = &pending->completion;
    if (pending->effect.kind == EFFECT_RECEIVE)
        return span_of(pending->effect.receive.data, completion->count);
    if (pending->effect.kind == EFFECT_READ)
        return span_of(pending->effect.read.data, completion->count);
    return SPAN_NULL;
}

static void deliver_pending(struct host *host, struct pending *pending)
{
    struct event event = {.kind = EVENT_COMPLETED, .completed = pending->completion};
    const struct span payload = payload_of(pending);
    const uint64_t cause = pending->number;
    list_remove(&pending->place);
    host->arrived_count--;
    pending->completion.entries = NULL; /* ours now */
    host_pending_free(host, pending);
    host_deliver(host, event, payload, cause);
    free((void *)(uintptr_t)event.completed.entries);
}

static uint32_t deliver_arrived(struct host *host, bool some)
{
    uint32_t count = host->arrived_count;
    if (some && count > 0)
        count = (uint32_t)chance_between(&host->rng, 1, count);
    for (uint32_t i = 0; i < count && !list_empty(&host->arrived); i++)
        deliver_pending(host, container_of(host->arrived.next, struct pending, place));
    return count;
}

static uint32_t deliver_accepts(struct host *host)
{
    uint32_t count = 0;
    struct event event = {.kind = EVENT_ACCEPTED};
    while (host_runs(host) && network_accept(host->sim->network, host, &event.accepted.connection,
                                             &event.accepted.listener, &event.accepted.peer)) {
        host_deliver(host, event, event.accepted.peer, host->sim->queue.cause);
        count++;
    }
    return count;
}

static bool timer_is_due(const struct host *host)
{
    return host->timer_us != TIMER_NEVER && host->timer_us <= host_mono_us(host);
}

/* Everything that a turn brings, but for its end. */
static uint32_t deliver_all(struct host *host, bool timer_is_told)
{
    const uint64_t cause = host->sim->queue.cause;
    uint32_t count = deliver_accepts(host);
    if (host->stop_asked) {
        host->stop_asked = false;
        host_deliver(host, (struct event){.kind = EVENT_STOP}, SPAN_NULL, cause);
        count++;
    }
    count += deliver_arrived(host, host->knobs.partial_turns);
    count += deliver_arrived(host, host->knobs.partial_turns); /* what that gave at once */
    if (timer_is_told && timer_is_due(host)) {
        host->timer_us = TIMER_NEVER;
        host_deliver(host, (struct event){.kind = EVENT_TIMER}, SPAN_NULL, cause);
        count++;
    }
    return count;
}

void host_turn(struct task *task)
{
    struct host *host = container_of(task, struct host, turn_task);
    struct sim *sim = host->sim;
    if (sim->now_us < host->paused_until_us) {
        queue_put(&sim->queue, task, host->paused_until_us, host_turn);
        return;
    }
    /* What arrived while the process slept, or was stopped, is told before who was silent is judged
     * (as cli/loop.c does): the timer waits for a turn that follows at once. */
    const bool slept = !host->timer_may_be_told;
    const uint64_t steps = sim->steps;
    const uint32_t count = deliver_all(host, !slept);
    if (count >= LONG_TURN)
        sim_count(sim, TALLY_long_turn);
    host->timer_may_be_told = timer_is_due(host);
    if (!host_runs(host))
        return;
    if (count > 0)
        host_deliver(host, (struct event){.kind = EVENT_TURN_END}, SPAN_NULL, sim->queue.cause);
    if (!host_runs(host))
        return;
    const uint64_t factor = host->faults.node_factor > 1 ? host->faults.node_factor : 1;
    host->busy_until_us = sim->now_us + (sim->steps - steps) * STEP_US * factor;
    host_timer_arm(host);
    if (host->arrived_count > 0 || host->timer_may_be_told || host->stop_asked ||
        network_has_accepts(sim->network, host))
        host_wake(host);
}

void host_wake(struct host *host)
{
    if (!host_runs(host) || task_is_queued(&host->turn_task))
        return;
    struct sim *sim = host->sim;
    uint64_t at_us = sim->now_us;
    if (at_us < host->busy_until_us)
        at_us = host->busy_until_us;
    else
        at_us += chance_below(&host->rng, WAKE_US_MOST);
    if (at_us < host->paused_until_us)
        at_us = host->paused_until_us;
    queue_put(&sim->queue, &host->turn_task, at_us, host_turn);
}

struct pending *host_pending_new(struct host *host, const struct effect *effect, uint64_t digest)
{
    struct pending *pending;
    if (list_empty(&host->spare)) {
        pending = sim_allocate(NULL, sizeof(*pending));
    } else {
        pending = container_of(host->spare.next, struct pending, place);
        list_remove(&pending->place);
    }
    *pending = (struct pending){.host = host, .effect = *effect, .digest = digest};
    pending->completion.effect = effect->id;
    list_append(&host->pendings, &pending->place);
    return pending;
}

void host_pending_free(struct host *host, struct pending *pending)
{
    queue_cancel(&host->sim->queue, &pending->task);
    free((void *)(uintptr_t)pending->completion.entries);
    pending->completion.entries = NULL;
    list_remove(&pending->place);
    list_append(&host->spare, &pending->place);
}

void host_happened(struct host *host, struct pending *pending)
{
    pending->happened = true;
    list_remove(&pending->place);
    list_append(&host->arrived, &pending->place);
    host->arrived_count++;
    host_wake(host);
}

void host_completed(struct host *host, struct pending *pending)
{
    CHECK(pending->digest == effect_digest(&pending->effect));
    host_happened(host, pending);
}

static void effect_submit(struct host *host, const struct effect *effect)
{
    struct sim *sim = host->sim;
    const uint64_t number = ++sim->trace_number;
    const uint64_t digest = effect_digest(effect);
    trace_digest_number(&sim->digest, digest);
    if (sim->sink != NULL)
        sim->sink->effect(sim->sink_context, sim, host, effect, number, sim->queue.cause);
    switch (effect->kind) {
    case EFFECT_TIMER:
        host->timer_us = effect->due_us;
        return;
    case EFFECT_LOG:
        return;
    case EFFECT_READY:
        host->state = HOST_SERVING;
        sim_tell(sim, host, "life", "ready");
        judges_host_changed(sim->judges, host, HOST_READY);
        return;
    case EFFECT_STOPPED:
        host->stopped = true;
        host->stopped_failed = effect->log.failed;
        return;
    default:
        break;
    }
    CHECK(effect->id > host->last_effect);
    host->last_effect = effect->id;
    struct pending *pending = host_pending_new(host, effect, digest);
    pending->number = number;
    if (files_serve(effect->kind))
        host_file_submit(host, pending);
    else
        network_submit(sim->network, pending);
}

void host_take_effects(struct host *host)
{
    for (uint32_t i = 0; i < host->effects.count; i++) {
        const struct effect effect = host->effects.items[i];
        effect_submit(host, &effect);
    }
    effects_clear(&host->effects);
    if (host->stopped) {
        host->stopped = false;
        host_ended(host, host->stopped_failed ? HOST_END_FAILED : HOST_END_STOPPED);
    }
}
