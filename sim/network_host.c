/* SPDX-License-Identifier: Apache-2.0 */
/* The machines' side of the network: the connection effects of core/effect.h. */
#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/chance.h"
#include "sim/faults.h"
#include "sim/memory.h"
#include "sim/network_internal.h"

#define FIRST_PORT 9092

static struct channel *channel_of(const struct network *network, const struct host *host,
                                  uint64_t connection)
{
    CHECK(connection >= 1 && connection <= network->accepted[host->number].count);
    return network->accepted[host->number].items[connection - 1];
}

static void complete(struct pending *pending, int error)
{
    pending->completion.error = error;
    host_completed(pending->host, pending);
}

/* True when the machine knows that the other end is gone. */
static bool is_over(const struct channel *channel)
{
    return channel->cut || channel->up.ended;
}

void channel_host_ready(struct channel *channel)
{
    if (channel->watch != NULL && (stream_arrived(&channel->up).length > 0 || is_over(channel))) {
        struct pending *watch = channel->watch;
        channel->watch = NULL;
        watch->number = channel->network->sim->queue.cause;
        complete(watch, ERR_NONE);
    }
    if (is_over(channel))
        channel_send_pump(channel);
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
static bool hand_over(struct channel *channel, struct pending *pending, uint64_t room)
{
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
            stream_put(&channel->down, bytes);
            if (channel->events->left != NULL && channel->has_client)
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

static void send_ends(struct channel *channel, int error)
{
    struct pending *send = channel->send;
    channel->send = NULL;
    send->completion.count = send->sent;
    complete(send, error);
}

void channel_send_pump(struct channel *channel)
{
    struct pending *send = channel->send;
    if (send == NULL || !channel->has_host)
        return;
    if (is_over(channel)) {
        send_ends(channel, ERR_CLOSED);
        return;
    }
    struct network *network = channel->network;
    const uint64_t waiting = channel->down.put - channel->down.taken;
    uint64_t room =
        waiting < network->knobs.window_bytes ? network->knobs.window_bytes - waiting : 0;
    const uint64_t cut_in = channel->cut_after_bytes - channel->down.put;
    const bool cuts = channel->cut_after_bytes != QUEUE_NEVER && room >= cut_in;
    if (cuts)
        room = cut_in;
    const bool whole = hand_over(channel, send, room);
    if (!task_is_queued(&channel->down.task) && channel->has_client && !channel->down.waiting)
        network_depart(channel);
    if (!whole) {
        send_ends(channel, ERR_IO);
        return;
    }
    if (cuts) {
        channel_reset(channel);
        return;
    }
    if (send->sent == send_bytes(&send->effect))
        send_ends(channel, ERR_NONE);
    else
        sim_count(network->sim, TALLY_send_in_parts);
}

static void send_submit(struct channel *channel, struct pending *pending)
{
    CHECK(channel->send == NULL);
    channel->send = pending;
    channel_send_pump(channel);
    if (channel->send != NULL)
        faults_moment(channel->network->sim->faults, pending->host, MOMENT_SEND_IN_FLIGHT);
}

/* ---- The other effects. ---- */

static void receive_submit(struct channel *channel, struct pending *pending)
{
    const struct effect *effect = &pending->effect;
    const struct span bytes = stream_arrived(&channel->up);
    size_t length = bytes.length;
    if (channel->cut || (length == 0 && channel->up.ended)) {
        complete(pending, ERR_CLOSED);
        return;
    }
    if (length > effect->receive.length)
        length = effect->receive.length;
    if (length > 0)
        memcpy(effect->receive.data, bytes.data, length);
    stream_take(&channel->up, length);
    pending->completion.count = length;
    complete(pending, ERR_NONE);
}

static void listen_submit(struct network *network, struct pending *pending)
{
    const struct effect *effect = &pending->effect;
    const uint32_t host = pending->host->number;
    const uint32_t listener = effect->listen.listener;
    CHECK(listener < LISTENERS_MAX);
    const uint16_t port =
        effect->listen.port != 0 ? effect->listen.port : (uint16_t)(FIRST_PORT + listener);
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
        if ((network->listening[host] & ((uint64_t)1 << i)) != 0 &&
            network->ports[host][i] == port) {
            complete(pending, ERR_EXISTS);
            return;
        }
    }
    network->listening[host] |= (uint64_t)1 << listener;
    network->ports[host][listener] = port;
    pending->completion.count = port;
    complete(pending, ERR_NONE);
}

static void close_submit(struct channel *channel, struct pending *pending)
{
    channel_host_leaves(channel, true);
    complete(pending, ERR_NONE);
}

void channel_host_leaves(struct channel *channel, bool in_order)
{
    channel->has_host = false;
    if (!channel->accepted)
        channel->network->accepted[channel->host->number].unaccepted--;
    if (channel->watch != NULL) {
        struct pending *watch = channel->watch;
        channel->watch = NULL;
        if (in_order)
            complete(watch, ERR_CLOSED);
    }
    if (channel->send != NULL && in_order)
        send_ends(channel, ERR_CLOSED);
    channel->send = NULL;
    channel->down.ends = true;
    if (channel->has_client && in_order && !channel->down.waiting &&
        !task_is_queued(&channel->down.task) && !channel->cut)
        network_depart(channel);
    channel_gone_perhaps(channel);
}

void network_submit(struct network *network, struct pending *pending)
{
    const struct effect *effect = &pending->effect;
    if (effect->kind == EFFECT_LISTEN) {
        listen_submit(network, pending);
        return;
    }
    const uint64_t number = effect->kind == EFFECT_RECEIVE ? effect->receive.connection
                            : effect->kind == EFFECT_SEND  ? effect->send.connection
                                                           : effect->connection;
    struct channel *channel = channel_of(network, pending->host, number);
    if (channel == NULL || !channel->has_host) {
        complete(pending, ERR_CLOSED);
        return;
    }
    switch (effect->kind) {
    case EFFECT_WATCH:
        CHECK(channel->watch == NULL);
        channel->watch = pending;
        channel_host_ready(channel);
        break;
    case EFFECT_RECEIVE:
        receive_submit(channel, pending);
        break;
    case EFFECT_SEND:
        send_submit(channel, pending);
        break;
    default:
        close_submit(channel, pending);
        break;
    }
}

static struct channel *waiting_channel(const struct network *network, const struct host *host)
{
    for (struct list *at = network->channels.next; at != &network->channels; at = at->next) {
        struct channel *channel = container_of(at, struct channel, place);
        if (channel->host == host && channel->has_host && !channel->accepted)
            return channel;
    }
    CHECK(false);
}

bool network_has_accepts(const struct network *network, const struct host *host)
{
    return network->accepted[host->number].unaccepted > 0;
}

static uint64_t number_next(struct network *network, struct channel *channel)
{
    const uint32_t host = channel->host->number;
    if (network->accepted[host].count == network->accepted[host].capacity) {
        network->accepted[host].capacity = network->accepted[host].capacity * 2 + 16;
        network->accepted[host].items =
            sim_allocate(network->accepted[host].items,
                         network->accepted[host].capacity * sizeof(struct channel *));
    }
    network->accepted[host].items[network->accepted[host].count++] = channel;
    return network->accepted[host].count;
}

bool network_accept(struct network *network, struct host *host, uint64_t *ret_connection,
                    uint32_t *ret_listener, struct span *ret_peer)
{
    if (!network_has_accepts(network, host))
        return false;
    struct channel *channel = waiting_channel(network, host);
    network->accepted[host->number].unaccepted--;
    channel->accepted = true;
    channel->number = number_next(network, channel);
    *ret_connection = channel->number;
    *ret_listener = channel->listener;
    *ret_peer = span_text(channel->peer);
    return true;
}

void network_process_ended(struct network *network, struct host *host, bool silent)
{
    network->listening[host->number] = 0;
    struct list *next;
    for (struct list *at = network->channels.next; at != &network->channels; at = next) {
        next = at->next;
        struct channel *channel = container_of(at, struct channel, place);
        if (channel->host != host || !channel->has_host)
            continue;
        channel->watch = NULL;
        channel->send = NULL;
        channel_host_leaves(channel, false);
        if (!silent)
            channel_tell_end(channel, network_latency_us(network));
    }
}

/* ---- Faults. ---- */

static bool is_hit(struct network *network, const struct channel *channel, uint32_t host,
                   uint32_t percent)
{
    return channel->opened && channel->has_client && !channel->cut && !channel->vanished &&
           (host == 0 || channel->host->number == host) &&
           chance_below(&network->rng, 100) < percent;
}

static bool is_at_work(const struct channel *channel)
{
    return stream_under_way(&channel->up) > 0 || stream_under_way(&channel->down) > 0 ||
           channel->send != NULL;
}

uint32_t network_cut(struct network *network, uint32_t host, uint32_t percent)
{
    uint32_t count = 0;
    struct list *next;
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
        channel_tell_end(channel, 0);
    }
    return count;
}
