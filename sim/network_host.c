/* SPDX-License-Identifier: Apache-2.0 */
/* The machines' side of the network: the connection effects of core/effect.h. */
#include <stdio.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/chance.h"
#include "sim/faults.h"
#include "sim/memory.h"
#include "sim/network_internal.h"

#define FIRST_PORT 9092

static struct wire *wire_of(const struct network *network, const struct host *host,
                            uint64_t connection)
{
    CHECK(connection >= 1 && connection <= network->wires[host->number].count);
    return network->wires[host->number].items[connection - 1];
}

/* A machine at the other end; NULL: a client is there. */
static struct wire *wire_other(struct wire *wire)
{
    struct channel *channel = wire->channel;
    struct wire *other = wire == &channel->acceptor ? &channel->dialler : &channel->acceptor;
    return other->host == NULL ? NULL : other;
}

static void complete(struct pending *pending, int error)
{
    pending->completion.error = error;
    host_completed(pending->host, pending);
}

/* True when the machine knows that the other end is gone. */
static bool is_over(const struct wire *wire)
{
    return wire->channel->cut || wire->in->ended;
}

void wire_ready(struct wire *wire)
{
    if (wire->watch != NULL && (stream_arrived(wire->in).length > 0 || is_over(wire))) {
        struct pending *watch = wire->watch;
        wire->watch = NULL;
        watch->number = wire->channel->network->sim->queue.cause;
        complete(watch, ERR_NONE);
    }
    if (is_over(wire))
        wire_send_pump(wire);
}

/* ---- Sending. ---- */

static struct span piece_bytes(const struct pending *pending, const struct piece *piece,
                               uint64_t skip, size_t length)
{
    if (piece->data != NULL || piece->length == 0)
        return span_of(piece->data + skip, length);
    return span_of(files_bytes(&pending->host->files, piece->file, piece->offset + skip, length),
                   length);
}

/* Hands over at most `room` bytes of the send. False when a file has no such bytes. */
static bool hand_over(struct wire *wire, struct pending *pending, uint64_t room)
{
    struct channel *channel = wire->channel;
    uint64_t before = 0;
    const struct effect *effect = &pending->effect;
    for (uint32_t i = 0; i < effect->send.pieces_count && room > 0; i++) {
        const struct piece *piece = &effect->send.pieces[i];
        if (pending->sent < before + piece->length) {
            const uint64_t skip = pending->sent - before;
            const uint64_t rest = piece->length - skip;
            const size_t length = (size_t)(rest < room ? rest : room);
            const struct span bytes = piece_bytes(pending, piece, skip, length);
            if (bytes.data == NULL)
                return false;
            if (piece->data == NULL)
                sim_count(channel->network->sim, TALLY_file_range_sent);
            stream_put(wire->out, bytes);
            if (channel->has_client && channel->events->left != NULL)
                channel->events->left(channel->context, channel, bytes);
            pending->sent += length;
            room -= length;
        }
        before += piece->length;
    }
    return true;
}

static uint64_t send_bytes(const struct effect *effect)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < effect->send.pieces_count; i++)
        bytes += effect->send.pieces[i].length;
    return bytes;
}

static void send_ends(struct wire *wire, int error)
{
    struct pending *send = wire->send;
    wire->send = NULL;
    send->completion.count = send->sent;
    complete(send, error);
}

/* What was handed over is on its way, unless more of it is already. */
static void depart_perhaps(struct wire *wire)
{
    const bool is_heard = wire->channel->has_client || wire_other(wire) != NULL;
    if (is_heard && !task_is_queued(&wire->out->task) && !wire->out->waiting)
        network_depart(wire);
}

void wire_send_pump(struct wire *wire)
{
    struct channel *channel = wire->channel;
    struct pending *send = wire->send;
    if (send == NULL || !wire->is_here)
        return;
    if (is_over(wire) || host_mono_us(send->host) >= send->effect.send.until_us) {
        send_ends(wire, ERR_CLOSED);
        return;
    }
    struct network *network = channel->network;
    const uint64_t waiting = wire->out->put - wire->out->taken;
    uint64_t room =
        waiting < network->knobs.window_bytes ? network->knobs.window_bytes - waiting : 0;
    const uint64_t cut_in = channel->cut_after_bytes - channel->down.put;
    const bool cuts =
        wire == &channel->acceptor && channel->cut_after_bytes != QUEUE_NEVER && room >= cut_in;
    if (cuts)
        room = cut_in;
    const bool whole = hand_over(wire, send, room);
    depart_perhaps(wire);
    if (!whole) {
        send_ends(wire, ERR_IO);
        return;
    }
    if (cuts) {
        channel_reset(channel);
        return;
    }
    if (send->sent == send_bytes(&send->effect))
        send_ends(wire, ERR_NONE);
    else
        sim_count(network->sim, TALLY_send_in_parts);
}

static void send_submit(struct wire *wire, struct pending *pending)
{
    CHECK(wire->send == NULL);
    wire->send = pending;
    wire_send_pump(wire);
    if (wire->send != NULL)
        faults_moment(wire->channel->network->sim->faults, pending->host, MOMENT_SEND_IN_FLIGHT);
}

/* ---- The other effects. ---- */

static void receive_submit(struct wire *wire, struct pending *pending)
{
    const struct effect *effect = &pending->effect;
    const struct span bytes = stream_arrived(wire->in);
    size_t length = bytes.length;
    if (wire->channel->cut || (length == 0 && wire->in->ended)) {
        complete(pending, ERR_CLOSED);
        return;
    }
    if (length > effect->receive.length)
        length = effect->receive.length;
    if (length > 0)
        memcpy(effect->receive.data, bytes.data, length);
    stream_take(wire->in, length);
    pending->completion.count = length;
    complete(pending, ERR_NONE);
    struct wire *other = wire_other(wire);
    if (other != NULL)
        wire_send_pump(other);
}

uint32_t network_listener_at(const struct network *network, const struct host *host, uint16_t port)
{
    uint32_t i = 0;
    while (i < LISTENERS_MAX && (!(network->listening[host->number] >> i & 1) ||
                                 network->ports[host->number][i] != port))
        i++;
    return i;
}

static void listen_submit(struct network *network, struct pending *pending)
{
    const struct effect *effect = &pending->effect;
    const uint32_t host = pending->host->number;
    const uint32_t listener = effect->listen.listener;
    CHECK(listener < LISTENERS_MAX);
    const uint16_t port =
        effect->listen.port != 0 ? effect->listen.port : (uint16_t)(FIRST_PORT + listener);
    if (network_listener_at(network, pending->host, port) != LISTENERS_MAX) {
        complete(pending, ERR_EXISTS);
        return;
    }
    network->listening[host] |= (uint64_t)1 << listener;
    network->ports[host][listener] = port;
    pending->completion.count = port;
    complete(pending, ERR_NONE);
}

/* Another machine of the world by its name, or this one. */
static struct host *host_of(struct network *network, const struct host *self, struct span name)
{
    struct sim *sim = network->sim;
    if (span_equal(name, SPAN("127.0.0.1")))
        return sim->hosts[self->number - 1];
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        if (span_equal(name, span_text(sim->hosts[i]->name)))
            return sim->hosts[i];
    }
    return NULL;
}

/* The machine's end goes: by EFFECT_CLOSE (`in_order`), or because its process ended. What was sent
 * still arrives. */
static void wire_leaves(struct wire *wire, bool in_order)
{
    struct channel *channel = wire->channel;
    wire->is_here = false;
    if (wire->number == 0)
        channel->network->wires[wire->host->number].unaccepted--;
    if (wire->watch != NULL && in_order)
        complete(wire->watch, ERR_CLOSED);
    wire->watch = NULL;
    if (wire->send != NULL && in_order)
        send_ends(wire, ERR_CLOSED);
    wire->send = NULL;
    wire->out->ends = true;
    const bool is_mute = channel->cut || (channel->vanished && wire == &channel->dialler);
    if (in_order && !is_mute)
        depart_perhaps(wire);
    channel_gone_perhaps(channel);
}

static void connect_submit(struct network *network, struct pending *pending)
{
    struct host *self = pending->host;
    struct host *host = host_of(network, self, pending->effect.connect.host);
    if (host == NULL) {
        complete(pending, ERR_NOT_FOUND);
        return;
    }
    struct channel *channel = network_channel(network, host, pending->effect.connect.port);
    channel->dialler.host = self;
    channel->connect = pending;
    snprintf(channel->peer, sizeof(channel->peer), "%s:%u", self->name, network->last_port);
    network_handshake(channel);
}

static void close_submit(struct wire *wire, struct pending *pending)
{
    wire_leaves(wire, true);
    complete(pending, ERR_NONE);
}

void network_submit(struct network *network, struct pending *pending)
{
    const struct effect *effect = &pending->effect;
    if (effect->kind == EFFECT_LISTEN) {
        listen_submit(network, pending);
        return;
    }
    if (effect->kind == EFFECT_CONNECT) {
        connect_submit(network, pending);
        return;
    }
    const uint64_t number = effect->kind == EFFECT_RECEIVE ? effect->receive.connection
                            : effect->kind == EFFECT_SEND  ? effect->send.connection
                                                           : effect->connection;
    struct wire *wire = wire_of(network, pending->host, number);
    if (wire == NULL || !wire->is_here) {
        complete(pending, ERR_CLOSED);
        return;
    }
    switch (effect->kind) {
    case EFFECT_WATCH:
        CHECK(wire->watch == NULL);
        wire->watch = pending;
        wire_ready(wire);
        break;
    case EFFECT_RECEIVE:
        receive_submit(wire, pending);
        break;
    case EFFECT_SEND:
        send_submit(wire, pending);
        break;
    default:
        close_submit(wire, pending);
        break;
    }
}

static struct channel *waiting_channel(const struct network *network, const struct host *host)
{
    for (struct list *at = network->channels.next; at != &network->channels; at = at->next) {
        struct channel *channel = container_of(at, struct channel, place);
        if (channel->acceptor.host == host && channel->acceptor.is_here &&
            channel->acceptor.number == 0)
            return channel;
    }
    CHECK(false);
}

bool network_has_accepts(const struct network *network, const struct host *host)
{
    return network->wires[host->number].unaccepted > 0;
}

/* The process comes to know its end: it has a number from now on. */
static void wire_number(struct network *network, struct wire *wire)
{
    const uint32_t host = wire->host->number;
    if (network->wires[host].count == network->wires[host].capacity) {
        network->wires[host].capacity = network->wires[host].capacity * 2 + 16;
        network->wires[host].items = sim_allocate(
            network->wires[host].items, network->wires[host].capacity * sizeof(struct wire *));
    }
    network->wires[host].items[network->wires[host].count++] = wire;
    wire->number = network->wires[host].count;
}

bool network_accept(struct network *network, struct host *host, uint64_t *ret_connection,
                    uint32_t *ret_listener, struct span *ret_peer)
{
    if (!network_has_accepts(network, host))
        return false;
    struct channel *channel = waiting_channel(network, host);
    network->wires[host->number].unaccepted--;
    wire_number(network, &channel->acceptor);
    *ret_connection = channel->acceptor.number;
    *ret_listener = channel->listener;
    *ret_peer = span_text(channel->peer);
    return true;
}

void dial_completed(struct channel *channel, int error)
{
    struct pending *connect = channel->connect;
    channel->connect = NULL;
    if (connect != NULL && error == ERR_NONE) {
        channel->dialler.is_here = true;
        wire_number(channel->network, &channel->dialler);
        connect->completion.count = channel->dialler.number;
    }
    if (connect != NULL)
        complete(connect, error);
    channel_gone_perhaps(channel);
}

/* One end of a channel goes with its process. */
static void wire_process_ended(struct wire *wire, bool silent)
{
    struct channel *channel = wire->channel;
    struct wire *other = wire_other(wire);
    wire_leaves(wire, false);
    if (other == NULL && !silent)
        channel_tell_end(channel, network_latency_us(channel->network));
    else if (other != NULL && silent)
        wire->out->ends = false;
    else if (other != NULL && !channel->cut && !channel->vanished)
        wire_tell_end(other, false);
}

void network_process_ended(struct network *network, struct host *host, bool silent)
{
    network->listening[host->number] = 0;
    struct list *next;
    for (struct list *at = network->channels.next; at != &network->channels; at = next) {
        next = at->next;
        struct channel *channel = container_of(at, struct channel, place);
        if (channel->dialler.host == host)
            channel->connect = NULL;
        if (channel->acceptor.host == host && channel->acceptor.is_here)
            wire_process_ended(&channel->acceptor, silent);
        if (channel->dialler.host == host && channel->dialler.is_here)
            wire_process_ended(&channel->dialler, silent);
        channel_gone_perhaps(channel);
    }
}

/* ---- Faults. ---- */

static bool is_end_of(const struct channel *channel, uint32_t host)
{
    const struct host *dialler = channel->dialler.host;
    return host == 0 || channel->acceptor.host->number == host ||
           (dialler != NULL && dialler->number == host);
}

static bool is_hit(struct network *network, const struct channel *channel, uint32_t host,
                   uint32_t percent)
{
    return channel->opened && (channel->has_client || channel->dialler.is_here) && !channel->cut &&
           !channel->vanished && is_end_of(channel, host) &&
           chance_below(&network->rng, 100) < percent;
}

static bool is_at_work(const struct channel *channel)
{
    return stream_under_way(&channel->up) > 0 || stream_under_way(&channel->down) > 0 ||
           channel->acceptor.send != NULL || channel->dialler.send != NULL;
}

uint32_t network_cut(struct network *network, uint32_t host, uint32_t percent)
{
    uint32_t count = 0;
    struct list *next;
    network->disturbed_us = network->sim->now_us;
    for (struct list *at = network->channels.next; at != &network->channels; at = next) {
        next = at->next;
        struct channel *channel = container_of(at, struct channel, place);
        if (!is_hit(network, channel, host, percent))
            continue;
        count++;
        if (is_at_work(channel))
            sim_count(network->sim, TALLY_fault_reset_mattered);
        if (chance_one_in(&network->rng, 2))
            channel_reset(channel);
        else
            channel->cut_after_bytes = channel->down.put + chance_below(&network->rng, 300);
    }
    return count;
}

uint32_t network_vanish(struct network *network, uint32_t host, uint32_t percent)
{
    uint32_t count = 0;
    struct list *next;
    network->disturbed_us = network->sim->now_us;
    for (struct list *at = network->channels.next; at != &network->channels; at = next) {
        next = at->next;
        struct channel *channel = container_of(at, struct channel, place);
        if (!is_hit(network, channel, host, percent))
            continue;
        count++;
        if (is_at_work(channel))
            sim_count(network->sim, TALLY_fault_half_open_mattered);
        stream_drop(&channel->up);
        queue_cancel(&network->sim->queue, &channel->up.task);
        channel->vanished = true;
        if (channel->dialler.is_here)
            wire_tell_end(&channel->dialler, true);
        else
            channel_tell_end(channel, 0);
    }
    return count;
}
