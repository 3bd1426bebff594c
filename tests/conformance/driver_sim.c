/* SPDX-License-Identifier: Apache-2.0 */
/* A machine of the simulator that runs no broker: its disk, and the network between it and clients,
 * under virtual time. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/error.h"
#include "sim/effect_digest.h"
#include "sim/file_node.h"
#include "sim/host_internal.h"
#include "sim/memory.h"
#include "sim/network.h"
#include "tests/conformance/driver.h"
#include "tests/support/beside.h"

#define SEED      3
#define PEERS_MAX 64
#define WAIT_US   1000
#define HELD_FOR  (1 << 20) /* times as long as usual */

struct sim_peer {
    struct channel *channel; /* NULL: it ended */
    struct file_bytes received;
};

struct machine {
    struct scenario scenario;
    struct sim sim;
    struct host *host;
    struct sim_peer peers[PEERS_MAX];
    peer peers_count;
    bool holds; /* syncs take very long */
};

static void on_opened(void *context, struct channel *channel)
{
    const struct sim_peer *at = context;
    ck_assert_ptr_eq(at->channel, channel);
}

static void on_received(void *context, struct channel *channel, struct span bytes)
{
    struct sim_peer *at = context;
    ck_assert_ptr_eq(at->channel, channel);
    file_bytes_set(&at->received, at->received.length, bytes.data, bytes.length);
}

static void on_closed(void *context, struct channel *channel)
{
    struct sim_peer *at = context;
    ck_assert_ptr_eq(at->channel, channel);
    at->channel = NULL;
}

static const struct channel_events events = {
    .opened = on_opened, .received = on_received, .closed = on_closed};

static void *start(void)
{
    static const struct settings_list no_settings;
    static struct machine machine;
    char why[128];
    machine = (struct machine){.scenario = {.nodes_count = 1}};
    machine.sim.scenario = &machine.scenario;
    machine.sim.source.seed = SEED;
    list_init(&machine.sim.peers);
    queue_init(&machine.sim.queue, &machine.sim.source);
    machine.host = host_new(&machine.sim, 1, &no_settings, why, sizeof(why));
    ck_assert_ptr_nonnull(machine.host);
    machine.host->state = HOST_SERVING;
    machine.sim.hosts[0] = machine.host;
    machine.sim.hosts_count = 1;
    machine.sim.network = network_new(&machine.sim);
    return &machine;
}

static void end(void *state)
{
    struct machine *machine = state;
    for (peer i = 0; i < machine->peers_count; i++)
        file_bytes_free(&machine->peers[i].received);
    queue_clear(&machine->sim.queue);
    network_free(machine->sim.network);
    host_free(machine->host);
    queue_free(&machine->sim.queue);
}

static void perform(void *state, const struct effect *effect)
{
    const struct machine *machine = state;
    struct host *host = machine->host;
    struct pending *pending = host_pending_new(host, effect, effect_digest(effect));
    if (machine->holds && effect->kind == EFFECT_SYNC)
        host->faults.disk_factor = HELD_FOR;
    if (files_serve(effect->kind))
        host_file_submit(host, pending);
    else
        network_submit(machine->sim.network, pending);
    host->faults.disk_factor = 0;
}

/* What the machine's process would be told in its turn. */
static void deliver(struct machine *machine)
{
    struct host *host = machine->host;
    uint64_t connection;
    uint32_t listener;
    struct span name;
    while (network_accept(machine->sim.network, host, &connection, &listener, &name))
        conformance_accepted(connection, listener);
    while (!list_empty(&host->arrived)) {
        struct pending *pending = container_of(host->arrived.next, struct pending, place);
        host->arrived_count--;
        conformance_completed(&pending->completion);
        host_pending_free(host, pending);
    }
}

static void wait(void *state)
{
    struct machine *machine = state;
    struct sim *sim = &machine->sim;
    const uint64_t until_us = sim->now_us + WAIT_US;
    while (queue_due_us(&sim->queue) <= until_us) {
        struct task *task = queue_take(&sim->queue);
        sim->now_us = task->due_us;
        if (task != &machine->host->turn_task)
            task->run(task);
    }
    sim->now_us = until_us;
    deliver(machine);
}

static peer connect_to(void *state, uint32_t listener, uint16_t port)
{
    (void)listener;
    struct machine *machine = state;
    ck_assert_uint_lt(machine->peers_count, PEERS_MAX);
    struct sim_peer *at = &machine->peers[machine->peers_count];
    at->channel = channel_open(&machine->sim, 0, 1, port, &events, at);
    return machine->peers_count++;
}

static void peer_send(void *state, peer from, struct span bytes)
{
    const struct machine *machine = state;
    channel_send(machine->peers[from].channel, bytes);
}

static void peer_pause(void *state, peer paused, bool pause)
{
    const struct machine *machine = state;
    if (machine->peers[paused].channel != NULL)
        channel_pause(machine->peers[paused].channel, pause);
}

static void peer_close(void *state, peer closed)
{
    struct machine *machine = state;
    channel_close(machine->peers[closed].channel);
    machine->peers[closed].channel = NULL;
}

static struct span peer_received(void *state, peer by, bool *ret_ended)
{
    const struct machine *machine = state;
    const struct sim_peer *at = &machine->peers[by];
    *ret_ended = at->channel == NULL;
    return span_of(at->received.data, at->received.length);
}

static struct span file(void *state, const char *path)
{
    const struct machine *machine = state;
    return beside_file(&machine->host->files, path);
}

static void put_file(void *state, const char *path, struct span bytes)
{
    const struct machine *machine = state;
    beside_put_file(&machine->host->files, path, bytes);
}

static void put_folder(void *state, const char *path)
{
    const struct machine *machine = state;
    beside_put_folder(&machine->host->files, path);
}

/* Scenarios know fewer ways to fail than there are. */
static bool make_fail(void *state, enum effect_kind kind, int error)
{
    const struct machine *machine = state;
    struct host *host = machine->host;
    if (error == ERR_NO_SPACE && (kind == EFFECT_WRITE || kind == EFFECT_RESERVE)) {
        host->files.capacity_bytes = host->files.used_bytes;
        return true;
    }
    if (error != ERR_IO || kind == EFFECT_LIST || kind == EFFECT_RESERVE)
        return false;
    host->faults = (struct host_faults){.write_error_percent = 100,
                                        .read_error_percent = 100,
                                        .sync_error_percent = 100,
                                        .open_error_percent = 100};
    return true;
}

static void mend(void *state)
{
    const struct machine *machine = state;
    machine->host->faults = (struct host_faults){0};
    machine->host->files.capacity_bytes = UINT64_MAX;
}

static void hold_syncs(void *state)
{
    struct machine *machine = state;
    machine->holds = true;
}

static void release_syncs(void *state)
{
    struct machine *machine = state;
    struct host *host = machine->host;
    struct queue *queue = &host->sim->queue;
    machine->holds = false;
    for (struct list *at = host->pendings.next; at != &host->pendings; at = at->next) {
        struct pending *pending = container_of(at, struct pending, place);
        if (pending->effect.kind == EFFECT_SYNC)
            queue_put(queue, &pending->task, host->sim->now_us, pending->task.run);
    }
}

const struct conformance_driver conformance_simulated = {
    .start = start,
    .end = end,
    .perform = perform,
    .wait = wait,
    .connect = connect_to,
    .send = peer_send,
    .pause = peer_pause,
    .close = peer_close,
    .received = peer_received,
    .file = file,
    .put_file = put_file,
    .put_folder = put_folder,
    .make_fail = make_fail,
    .mend = mend,
    .hold_syncs = hold_syncs,
    .release_syncs = release_syncs,
};
