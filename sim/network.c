/* SPDX-License-Identifier: Apache-2.0 */
/* The clients' side of the network, handshakes, and how bytes travel. */
#include "sim/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/chance.h"
#include "sim/memory.h"
#include "sim/network_internal.h"

#define CONNECT_TIMEOUT_US \
    ((uint64_t)1000000) /* until a client gives up on a machine that is off */
#define FIRST_CLIENT_PORT 32768
#define FRAGMENT_GAP      64 /* the time between two pieces, as a part of the least latency */

static const struct network_knobs quick = {
    .latency_us_least = 50, .latency_us_most = 500, .window_bytes = 256 * 1024};

struct network *network_new(struct sim *sim)
{
    uint32_t clients = 1;
    for (uint32_t i = 0; i < sim->scenario->clients_count; i++)
        clients += sim->scenario->clients[i].count;
    struct network *network = sim_allocate(NULL, sizeof(*network));
    *network = (struct network){.sim = sim,
                                .ends = CLIENT_END(clients) + 1,
                                .last_port = FIRST_CLIENT_PORT,
                                .knobs = quick};
    chance_stream(&network->rng, &sim->source, "network", 0);
    list_init(&network->channels);
    const size_t cells = (size_t)network->ends * network->ends;
    network->blocked = sim_allocate(NULL, cells * sizeof(*network->blocked));
    memset(network->blocked, 0, cells * sizeof(*network->blocked));
    return network;
}

struct network_knobs *network_knobs(struct network *network)
{
    return &network->knobs;
}

void network_calm(struct network *network)
{
    network->knobs = quick;
}

static void channel_free(struct channel *channel)
{
    struct queue *queue = &channel->network->sim->queue;
    queue_cancel(queue, &channel->up.task);
    queue_cancel(queue, &channel->down.task);
    queue_cancel(queue, &channel->open_task);
    queue_cancel(queue, &channel->told_task);
    queue_cancel(queue, &channel->gone_task);
    const struct wire *const wires[] = {&channel->acceptor, &channel->dialler};
    for (size_t i = 0; i < 2; i++) {
        if (wires[i]->number != 0)
            channel->network->wires[wires[i]->host->number].items[wires[i]->number - 1] = NULL;
    }
    list_remove(&channel->place);
    stream_free(&channel->up);
    stream_free(&channel->down);
    free(channel);
}

void network_free(struct network *network)
{
    if (network == NULL)
        return;
    while (!list_empty(&network->channels))
        channel_free(container_of(network->channels.next, struct channel, place));
    for (uint32_t i = 0; i <= SIM_HOSTS_MAX; i++)
        free(network->wires[i].items);
    free(network->blocked);
    free(network);
}

uint64_t network_latency_us(struct network *network)
{
    const uint64_t latency_us = chance_between(&network->rng, network->knobs.latency_us_least,
                                               network->knobs.latency_us_most);
    if (network->slow_factor <= 1)
        return latency_us;
    sim_count(network->sim, TALLY_fault_slow_link_mattered);
    return latency_us * network->slow_factor;
}

bool network_is_blocked(const struct network *network, uint32_t from_end, uint32_t to_end)
{
    return network->blocked[from_end * network->ends + to_end] != 0;
}

static void gone(struct task *task)
{
    channel_free(container_of(task, struct channel, gone_task));
}

void channel_gone_perhaps(struct channel *channel)
{
    if (channel->has_client || channel->acceptor.is_here || channel->dialler.is_here ||
        channel->connect != NULL || task_is_queued(&channel->gone_task))
        return;
    struct sim *sim = channel->network->sim;
    queue_put(&sim->queue, &channel->gone_task, sim->now_us, gone);
}

static void told(struct task *task)
{
    struct channel *channel = container_of(task, struct channel, told_task);
    if (!channel->has_client)
        return;
    channel->has_client = false;
    const struct channel_events *events = channel->events;
    channel_gone_perhaps(channel);
    events->closed(channel->context, channel);
}

void channel_tell_end(struct channel *channel, uint64_t delay_us)
{
    struct sim *sim = channel->network->sim;
    if (channel->has_client && !task_is_queued(&channel->told_task))
        queue_put(&sim->queue, &channel->told_task, sim->now_us + delay_us, told);
}

/* ---- Bytes on their way. ---- */

static uint32_t dialler_end(const struct channel *channel)
{
    return channel->dialler.host != NULL ? channel->dialler.host->number
                                         : CLIENT_END(channel->client);
}

static uint32_t from_end_of(const struct channel *channel, const struct stream *stream)
{
    return stream == &channel->up ? dialler_end(channel) : channel->acceptor.host->number;
}

static uint32_t to_end_of(const struct channel *channel, const struct stream *stream)
{
    return stream == &channel->up ? channel->acceptor.host->number : dialler_end(channel);
}

static void up_arrives(struct task *task);
static void down_arrives(struct task *task);

static void stream_schedule(struct channel *channel, struct stream *stream, uint64_t delay_us)
{
    struct sim *sim = channel->network->sim;
    if (!task_is_queued(&stream->task) && !stream->waiting && !channel->cut)
        queue_put(&sim->queue, &stream->task, sim->now_us + delay_us,
                  stream == &channel->up ? up_arrives : down_arrives);
}

/* How many of the bytes under way arrive now. */
static uint64_t fragment_draw(struct network *network, uint64_t under_way)
{
    uint64_t most = under_way;
    if (network->knobs.fragment_bytes > 0 && most > network->knobs.fragment_bytes)
        most = network->knobs.fragment_bytes;
    return network->knobs.draws_fragments ? chance_between(&network->rng, 1, most) : most;
}

/* Moves some bytes, or the end of the stream, from under way to arrived. False when it has to wait.
 */
static bool stream_moves(struct channel *channel, struct stream *stream)
{
    struct network *network = channel->network;
    if (network_is_blocked(network, from_end_of(channel, stream), to_end_of(channel, stream))) {
        stream->waiting = true;
        network->held++;
        return false;
    }
    const uint64_t under_way = stream_under_way(stream);
    const uint64_t moved = under_way == 0 ? 0 : fragment_draw(network, under_way);
    stream->arrived += moved;
    stream->ended = stream->ends && stream->arrived == stream->put;
    if (!stream->ended && stream->arrived < stream->put) {
        uint64_t gap_us = 1 + network->knobs.latency_us_least / FRAGMENT_GAP;
        if (network->knobs.bytes_per_ms > 0)
            gap_us += moved * 1000 / network->knobs.bytes_per_ms;
        stream_schedule(channel, stream, gap_us);
    } else if (stream->ends && !stream->ended) {
        stream_schedule(channel, stream, 1);
    }
    return true;
}

static void up_arrives(struct task *task)
{
    struct channel *channel = container_of(task, struct channel, up.task);
    if (!stream_moves(channel, &channel->up))
        return;
    if (channel->acceptor.is_here) {
        wire_ready(&channel->acceptor);
    } else if (channel->acceptor.host->powered) {
        /* A process that knows nothing of this connection: the machine says so. */
        if (channel->dialler.is_here)
            wire_tell_end(&channel->dialler, true);
        else
            channel_tell_end(channel, network_latency_us(channel->network));
    }
}

static void client_reads(struct channel *channel)
{
    if (channel->paused || !channel->has_client)
        return;
    const struct span bytes = stream_arrived(&channel->down);
    const bool ended = channel->down.ended;
    if (bytes.length > 0) {
        channel->events->received(channel->context, channel, bytes);
        stream_take(&channel->down, bytes.length);
        wire_send_pump(&channel->acceptor);
    }
    if (ended)
        channel_tell_end(channel, 0);
}

static void down_arrives(struct task *task)
{
    struct channel *channel = container_of(task, struct channel, down.task);
    if (!stream_moves(channel, &channel->down))
        return;
    if (channel->dialler.host == NULL)
        client_reads(channel);
    else if (channel->dialler.is_here)
        wire_ready(&channel->dialler);
    else if (channel->acceptor.is_here && channel->dialler.host->powered && !channel->vanished)
        wire_tell_end(&channel->acceptor, true);
}

void network_depart(const struct wire *wire)
{
    stream_schedule(wire->channel, wire->out, network_latency_us(wire->channel->network));
}

void wire_tell_end(struct wire *wire, bool lost)
{
    if (lost)
        stream_drop(wire->in);
    wire->in->ends = true;
    stream_schedule(wire->channel, wire->in, network_latency_us(wire->channel->network));
}

static void retry_waiting(struct network *network)
{
    struct list *next;
    for (struct list *at = network->channels.next; at != &network->channels; at = next) {
        next = at->next;
        struct channel *channel = container_of(at, struct channel, place);
        struct stream *const streams[] = {&channel->up, &channel->down};
        for (size_t i = 0; i < 2; i++) {
            if (!streams[i]->waiting ||
                network_is_blocked(network, from_end_of(channel, streams[i]),
                                   to_end_of(channel, streams[i])))
                continue;
            streams[i]->waiting = false;
            /* As long as a retransmission takes to come. */
            stream_schedule(channel, streams[i], chance_below(&network->rng, 200000));
        }
    }
}

void network_block(struct network *network, uint32_t from_end, uint32_t to_end)
{
    CHECK(from_end < network->ends && to_end < network->ends);
    network->blocked[from_end * network->ends + to_end]++;
    network->disturbed_us = network->sim->now_us;
}

void network_unblock(struct network *network, uint32_t from_end, uint32_t to_end)
{
    uint32_t *cell = &network->blocked[from_end * network->ends + to_end];
    CHECK(*cell > 0);
    (*cell)--;
    network->disturbed_us = network->sim->now_us;
    if (*cell == 0)
        retry_waiting(network);
}

bool network_is_open(const struct network *network, uint32_t end, uint32_t other_end)
{
    return !network_is_blocked(network, end, other_end) &&
           !network_is_blocked(network, other_end, end);
}

uint64_t network_disturbed_us(const struct network *network)
{
    return network->disturbed_us;
}

uint64_t network_held(const struct network *network)
{
    return network->held;
}

void network_slow(struct network *network, uint32_t factor)
{
    network->slow_factor = factor;
    network->disturbed_us = network->sim->now_us;
}

/* ---- Handshakes. ---- */

struct channel *network_channel(struct network *network, struct host *host, uint16_t port)
{
    struct channel *channel = sim_allocate(NULL, sizeof(*channel));
    *channel = (struct channel){.network = network, .port = port, .cut_after_bytes = QUEUE_NEVER};
    channel->acceptor =
        (struct wire){.channel = channel, .host = host, .in = &channel->up, .out = &channel->down};
    channel->dialler = (struct wire){.channel = channel, .in = &channel->down, .out = &channel->up};
    list_append(&network->channels, &channel->place);
    return channel;
}

static bool is_unheard(const struct channel *channel)
{
    const struct network *network = channel->network;
    const struct host *host = channel->acceptor.host;
    return !host->powered || !network_is_open(network, dialler_end(channel), host->number);
}

static void dial_fails(struct task *task)
{
    struct channel *channel = container_of(task, struct channel, open_task);
    dial_completed(channel, channel->port == 0 ? ERR_REFUSED : ERR_IO);
}

/* Whoever dialled will hear that nothing came of it. */
static void handshake_fails(struct channel *channel, bool refused)
{
    struct sim *sim = channel->network->sim;
    const uint64_t delay_us = refused ? network_latency_us(channel->network) : CONNECT_TIMEOUT_US;
    if (channel->dialler.host == NULL) {
        channel_tell_end(channel, delay_us);
        return;
    }
    if (refused)
        channel->port = 0;
    queue_put(&sim->queue, &channel->open_task, sim->now_us + delay_us, dial_fails);
}

/* The handshake's last word: the machine's kernel has it, the process will hear of it. */
static void open_arrives(struct task *task)
{
    struct channel *channel = container_of(task, struct channel, open_task);
    struct network *network = channel->network;
    struct host *host = channel->acceptor.host;
    if (!channel->has_client && channel->connect == NULL) {
        channel_gone_perhaps(channel);
        return;
    }
    if (is_unheard(channel)) {
        handshake_fails(channel, false);
        return;
    }
    const uint32_t listener = network_listener_at(network, host, channel->port);
    if (!host_runs(host) || listener == LISTENERS_MAX) {
        handshake_fails(channel, true);
        return;
    }
    channel->listener = listener;
    channel->acceptor.is_here = true;
    network->wires[host->number].unaccepted++;
    channel->opened = true;
    host_wake(host);
    if (channel->dialler.host != NULL)
        dial_completed(channel, ERR_NONE);
    else
        channel->events->opened(channel->context, channel);
}

void network_handshake(struct channel *channel)
{
    struct network *network = channel->network;
    struct sim *sim = network->sim;
    network->last_port = network->last_port == 65535 ? FIRST_CLIENT_PORT : network->last_port + 1;
    queue_put(&sim->queue, &channel->open_task, sim->now_us + 2 * network_latency_us(network),
              open_arrives);
}

/* ---- The client's calls. ---- */

struct channel *channel_open(struct sim *sim, uint32_t client, uint32_t host, uint16_t port,
                             const struct channel_events *events, void *context)
{
    CHECK(host >= 1 && host <= sim->hosts_count);
    struct network *network = sim->network;
    CHECK(CLIENT_END(client) < network->ends);
    struct channel *channel = network_channel(network, sim->hosts[host - 1], port);
    channel->client = client;
    channel->events = events;
    channel->context = context;
    channel->has_client = true;
    snprintf(channel->peer, sizeof(channel->peer), "10.0.%u.%u:%u", client / 256, client % 256,
             network->last_port);
    network_handshake(channel);
    return channel;
}

void channel_send(struct channel *channel, struct span bytes)
{
    if (!channel->has_client || channel->cut)
        return;
    stream_put(&channel->up, bytes);
    stream_schedule(channel, &channel->up, network_latency_us(channel->network));
}

void channel_close(struct channel *channel)
{
    channel->has_client = false;
    channel->up.ends = true;
    if (channel->acceptor.is_here)
        stream_schedule(channel, &channel->up, network_latency_us(channel->network));
    channel_gone_perhaps(channel);
}

void channel_vanish(struct channel *channel)
{
    channel->has_client = false;
    channel->vanished = true;
    stream_drop(&channel->up);
    queue_cancel(&channel->network->sim->queue, &channel->up.task);
    channel_gone_perhaps(channel);
}

void channel_pause(struct channel *channel, bool paused)
{
    channel->paused = paused;
    if (!paused)
        stream_schedule(channel, &channel->down, 1);
}

void channel_reset(struct channel *channel)
{
    if (channel->cut)
        return;
    channel->cut = true;
    struct queue *queue = &channel->network->sim->queue;
    stream_drop(&channel->up);
    stream_drop(&channel->down);
    queue_cancel(queue, &channel->up.task);
    queue_cancel(queue, &channel->down.task);
    if (channel->opened)
        channel_tell_end(channel, network_latency_us(channel->network));
    if (channel->acceptor.is_here)
        wire_ready(&channel->acceptor);
    if (channel->dialler.is_here)
        wire_ready(&channel->dialler);
}

struct host *channel_host(const struct channel *channel)
{
    return channel->acceptor.host;
}

uint64_t channel_connection(const struct channel *channel)
{
    return channel->acceptor.number;
}
