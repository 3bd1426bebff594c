/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a machine and of the process on it. */
#include "sim/host.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/timer.h"
#include "sim/chance.h"
#include "sim/faults.h"
#include "sim/host_internal.h"
#include "sim/judge.h"
#include "sim/memory.h"
#include "sim/network.h"
#include "sim/node_conf.h"

#define STOPPING_US   ((uint64_t)1000) /* between two looks whether it has ended */
#define FIRST_MONO_US ((uint64_t)1000000)

struct refusal {
    char *text;
    size_t bytes;
};

static void report(void *context, bool refused, uint32_t place, struct span text)
{
    (void)place;
    const struct refusal *refusal = context;
    if (refused && refusal->bytes > 0 && refusal->text[0] == '\0')
        snprintf(refusal->text, refusal->bytes, "%.*s", (int)text.length, (const char *)text.data);
}

static bool conf_make(struct host *host, const struct settings_list *settings,
                      struct refusal *refusal)
{
    conf_init(&host->conf, &host->conf_memory, report, refusal);
    const bool good = node_conf_fill(&host->conf, host->number, settings, span_text(host->name)) &&
                      host->conf.folders_count <= FILES_FOLDERS_MAX;
    host->conf.context = NULL;
    host->conf.report = NULL;
    return good;
}

struct host *host_new(struct sim *sim, uint32_t number, const struct settings_list *settings,
                      char *ret_reason, size_t reason_bytes)
{
    struct host *host = sim_allocate(NULL, sizeof(*host));
    *host =
        (struct host){.sim = sim,
                      .number = number,
                      .timer_us = TIMER_NEVER,
                      .mono_base_us = FIRST_MONO_US,
                      .base_us = sim->now_us,
                      .powered = true,
                      .knobs = {.at_once_percent = 75, .sync_us_most = 2000, .read_us_most = 300}};
    snprintf(host->name, sizeof(host->name), "n%u", number);
    chance_stream(&host->rng, &sim->source, "host", number);
    chance_stream(&host->files_rng, &sim->source, "files", number);
    files_init(&host->files, &host->files_rng);
    list_init(&host->pendings);
    list_init(&host->arrived);
    list_init(&host->spare);
    blocks_init(&host->blocks);
    struct refusal refusal = {ret_reason, reason_bytes};
    if (reason_bytes > 0)
        ret_reason[0] = '\0';
    memory_init(&host->conf_memory, sim_allocator());
    const bool good = conf_make(host, settings, &refusal);
    host->disk.number = number;
    host->disk.owner = number;
    if (good && host->conf.is_cluster)
        host_disk_format(host);
    if (good)
        return host;
    host_free(host);
    return NULL;
}

static void pendings_free(struct list *list)
{
    while (!list_empty(list)) {
        struct pending *pending = container_of(list->next, struct pending, place);
        list_remove(&pending->place);
        free((void *)(uintptr_t)pending->completion.entries);
        free(pending);
    }
}

void host_free(struct host *host)
{
    if (host == NULL)
        return;
    pendings_free(&host->pendings);
    pendings_free(&host->arrived);
    pendings_free(&host->spare);
    blocks_release(&host->blocks);
    files_free(&host->files);
    if (host->shelf != NULL)
        files_free(&host->shelf->files);
    free(host->shelf);
    conf_free(&host->conf);
    settings_list_free(&host->next_file);
    free(host);
}

void host_give_file(struct host *host, struct settings_list *settings)
{
    settings_list_free(&host->next_file);
    host->next_file = *settings;
}

static void file_read(struct host *host)
{
    struct refusal refusal = {NULL, 0};
    if (host->next_file.count == 0)
        return;
    conf_free(&host->conf);
    CHECK(conf_make(host, &host->next_file, &refusal));
    settings_list_free(&host->next_file);
}

void host_start(struct host *host)
{
    if (host_runs(host))
        return;
    struct sim *sim = host->sim;
    queue_cancel(&sim->queue, &host->start_task);
    file_read(host);
    host->powered = true;
    host->boots++;
    host->state = HOST_BOOTING;
    host->timer_us = TIMER_NEVER;
    host->last_effect = 0;
    host->stop_asked = false;
    host->busy_until_us = 0;
    host->paused_until_us = 0;
    if (host->boots > 1 && host->last_end == HOST_END_POWER_LOSS)
        sim_count(sim, TALLY_boot_after_power_loss);
    else if (host->boots > 1 && host->last_end == HOST_END_CRASH)
        sim_count(sim, TALLY_boot_after_crash);
    sim_tell(sim, host, "life", "starts, time %llu", (unsigned long long)host->boots);
    const struct broker_options options = {
        .allocator = blocks_allocator(&host->blocks), .conf = &host->conf, .codecs = NULL};
    host->broker = broker_new(&options);
    effects_init(&host->effects, broker_memory(host->broker));
    judges_host_changed(sim->judges, host, HOST_BOOTED);
    struct event event = {.kind = EVENT_START};
    for (size_t i = 0; i < START_ENTROPY_BYTES; i++)
        event.start.entropy[i] = (uint8_t)chance_noise(&host->rng);
    host_deliver(host, event, span_of(event.start.entropy, START_ENTROPY_BYTES), sim->queue.cause);
    host_wake(host);
}

static void start_due(struct task *task)
{
    struct host *host = container_of(task, struct host, start_task);
    if (host->state == HOST_STOPPING)
        host_start_in(host, STOPPING_US);
    else
        host_start(host);
}

void host_start_in(struct host *host, uint64_t delay_us)
{
    queue_put(&host->sim->queue, &host->start_task, host->sim->now_us + delay_us, start_due);
}

/* A broker that ended in order has nothing under way, and keeps nothing. */
static void memory_comes_back(struct host *host)
{
    effects_free(&host->effects);
    broker_free(host->broker);
    if (host->blocks.bytes != 0)
        sim_object(host->sim, SIM_SAFETY, "memory",
                   "a broker that ended in order has given all its memory back",
                   "core/broker.h: broker_free()", "%s kept %llu bytes", host->name,
                   (unsigned long long)host->blocks.bytes);
}

void host_ended(struct host *host, enum host_end end)
{
    struct sim *sim = host->sim;
    if (host->state == HOST_BOOTING)
        sim_count(sim, TALLY_boot_fails);
    if (end == HOST_END_FAILED)
        sim_count(sim, TALLY_host_stopped_itself);
    if (end == HOST_END_STOPPED)
        memory_comes_back(host);
    host->state = HOST_OFF;
    host->last_end = end;
    queue_cancel(&sim->queue, &host->turn_task);
    queue_cancel(&sim->queue, &host->timer_task);
    while (!list_empty(&host->pendings))
        host_pending_free(host, container_of(host->pendings.next, struct pending, place));
    while (!list_empty(&host->arrived))
        host_pending_free(host, container_of(host->arrived.next, struct pending, place));
    host->arrived_count = 0;
    host->effects = (struct effects){0};
    host->broker = NULL;
    blocks_release(&host->blocks);
    files_process_ended(&host->files);
    network_process_ended(sim->network, host, end == HOST_END_POWER_LOSS);
    judges_host_changed(sim->judges, host, HOST_ENDED);
    faults_host_ended(sim->faults, host);
}

void host_stop(struct host *host)
{
    if (!host_runs(host) || host->state == HOST_STOPPING)
        return;
    sim_tell(host->sim, host, "life", "is asked to end");
    host->state = HOST_STOPPING;
    host->stop_asked = true;
    host_wake(host);
}

void host_crash(struct host *host)
{
    if (!host_runs(host))
        return;
    sim_tell(host->sim, host, "life", "is killed");
    host_happen_perhaps(host);
    host_ended(host, HOST_END_CRASH);
}

void host_power_loss(struct host *host)
{
    sim_tell(host->sim, host, "life", "loses power");
    if (host_runs(host)) {
        host_happen_perhaps(host);
        host_ended(host, HOST_END_POWER_LOSS);
    }
    host->last_end = HOST_END_POWER_LOSS;
    host->powered = false;
    judges_host_changed(host->sim->judges, host, HOST_LOSES_POWER);
    files_power_loss(&host->files);
    /* A machine's monotonic clock starts anew with it. */
    host->mono_base_us = FIRST_MONO_US;
    host->base_us = host->sim->now_us;
}

void host_pause(struct host *host, uint64_t duration_us)
{
    const uint64_t until_us = host->sim->now_us + duration_us;
    if (!host_runs(host) || until_us <= host->paused_until_us)
        return;
    host->paused_until_us = until_us;
    sim_tell(host->sim, host, "life", "stands still for %llu us", (unsigned long long)duration_us);
}
