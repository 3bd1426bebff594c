/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's clocks: one that never goes back, one that may jump, and both may drift. */
#include "core/base/timer.h"
#include "sim/host_internal.h"

#define FIRST_WALL_MS ((int64_t)1700000000000)
#define MILLION       1000000

/* Time of the machine since base_us; a drift of d parts per million makes it run d / 10^6 faster.
 */
static uint64_t local_elapsed_us(const struct host *host, uint64_t elapsed_us)
{
    const int64_t extra = (int64_t)(elapsed_us / MILLION) * host->drift_ppm +
                          (int64_t)(elapsed_us % MILLION) * host->drift_ppm / MILLION;
    return elapsed_us + (uint64_t)extra;
}

uint64_t host_mono_us(const struct host *host)
{
    return host->mono_base_us + local_elapsed_us(host, host->sim->now_us - host->base_us);
}

int64_t host_wall_ms(const struct host *host)
{
    return FIRST_WALL_MS + (int64_t)(host_mono_us(host) / 1000) + host->wall_offset_ms;
}

uint64_t host_time_of(const struct host *host, uint64_t mono_us)
{
    const uint64_t now_us = host_mono_us(host);
    if (mono_us <= now_us)
        return host->sim->now_us;
    const uint64_t rest_us = mono_us - now_us;
    if (rest_us > QUEUE_NEVER / 4)
        return QUEUE_NEVER;
    const int64_t rate = MILLION + host->drift_ppm;
    const uint64_t whole = rest_us / (uint64_t)rate * MILLION;
    const uint64_t part =
        (rest_us % (uint64_t)rate * MILLION + (uint64_t)rate - 1) / (uint64_t)rate;
    /* A rounding error must not make the timer early, or it would spin. */
    return host->sim->now_us + whole + part + (host->drift_ppm == 0 ? 0 : 1);
}

static void timer_due(struct task *task)
{
    host_wake(container_of(task, struct host, timer_task));
}

void host_timer_arm(struct host *host)
{
    const uint64_t at_us =
        host->timer_us == TIMER_NEVER ? QUEUE_NEVER : host_time_of(host, host->timer_us);
    if (at_us == QUEUE_NEVER)
        queue_cancel(&host->sim->queue, &host->timer_task);
    else if (!task_is_queued(&host->timer_task) || host->timer_task.due_us != at_us)
        queue_put(&host->sim->queue, &host->timer_task, at_us, timer_due);
}

void host_wall_jump(struct host *host, int64_t ms)
{
    host->wall_offset_ms += ms;
    sim_tell(host->sim, host, "clock", "wall clock jumps by %lld ms", (long long)ms);
}

void host_drift(struct host *host, int64_t parts_per_million)
{
    host->mono_base_us = host_mono_us(host);
    host->base_us = host->sim->now_us;
    host->drift_ppm = parts_per_million;
    sim_tell(host->sim, host, "clock", "clocks drift by %lld parts in a million",
             (long long)parts_per_million);
    if (host_runs(host))
        host_timer_arm(host);
}
