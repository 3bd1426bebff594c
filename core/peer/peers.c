/* SPDX-License-Identifier: Apache-2.0 */
#include "core/peer/peers.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/base/uuid.h"
#include "core/peer/state.h"
#include "core/wire/error.h"

/* Nodes that one may know. */
#define PEERS_MAX 1024

static struct span key_of(const int32_t *node_id)
{
    return span_of(node_id, sizeof(*node_id));
}

static struct peer *peer_find(const struct peers *peers, int32_t node_id)
{
    struct map_node *node = map_find(&peers->by_id, key_of(&node_id));
    return node == NULL ? NULL : container_of(node, struct peer, node);
}

struct peer *peer_of(struct peers *peers, int32_t node_id)
{
    struct peer *peer = peer_find(peers, node_id);
    if (peer != NULL || map_count(&peers->by_id) >= PEERS_MAX)
        return peer;
    peer = memory_new(peers->io->memory, struct peer);
    peer->peers = peers;
    peer->node_id = node_id;
    outbound_init(peer);
    map_add(&peers->by_id, &peer->node, key_of(&peer->node_id));
    return peer;
}

/* ---- Lives. ---- */

bool peers_were_away(struct peers *peers, struct timer *timer, timer_action *action)
{
    const uint64_t now_us = peers->io->now_us;
    if (now_us <= timer->due_us + peers->settings.heartbeat_us)
        return false;
    timer_set(&peers->io->timers, timer, now_us + peers->settings.heartbeat_us, action);
    return true;
}

static void silence_look(struct timer *timer)
{
    struct peer *peer = container_of(timer, struct peer, silence_timer);
    struct peers *peers = peer->peers;
    const uint64_t due_us = peer->heard_us + peers->settings.silence_us;
    if (due_us > peers->io->now_us) {
        timer_set(&peers->io->timers, timer, due_us, silence_look);
        return;
    }
    if (peers_were_away(peers, timer, silence_look))
        return;
    peer->life = PEER_SILENT;
    io_log(peers->io, LOG_WARN, "a node is silent: node=%d for_ms=%llu", peer->node_id,
           (unsigned long long)(peers->settings.silence_us / 1000));
    if (peers->observer->silent != NULL)
        peers->observer->silent(peers->observer, peer->node_id);
}

static void watch_silence(struct peer *peer)
{
    struct peers *peers = peer->peers;
    timer_set(&peers->io->timers, &peer->silence_timer, peer->heard_us + peers->settings.silence_us,
              silence_look);
}

void peer_heard(struct peer *peer)
{
    struct io *io = peer->peers->io;
    peer->heard_us = io->now_us;
    if (peer->life != PEER_SILENT)
        return;
    peer->life = PEER_ALIVE;
    io_log(io, LOG_INFO, "a node is heard again: node=%d", peer->node_id);
    watch_silence(peer);
}

void peer_died(struct peer *peer, const char *proof)
{
    struct peers *peers = peer->peers;
    const struct uuid incarnation = peer->incarnation;
    CHECK(peer->life != PEER_UNKNOWN);
    peer->life = PEER_UNKNOWN;
    peer->learned = ++peers->sequence;
    timer_cancel(&peers->io->timers, &peer->silence_timer);
    io_log(peers->io, LOG_WARN, "a node's process has ended: node=%d incarnation=%s proof=%s",
           peer->node_id, uuid_text(incarnation).text, proof);
    if (peer->in != NULL && uuid_equal(peer->in->incarnation, incarnation))
        inbound_close(peer->in, "its process has ended");
    if (peer->out.state == OUTBOUND_UP && uuid_equal(peer->out.listener, incarnation))
        outbound_close(peer, "its process has ended");
    if (peers->observer->died != NULL)
        peers->observer->died(peers->observer, peer->node_id, incarnation);
}

bool peer_learn(struct peer *peer, struct uuid incarnation, uint64_t asked)
{
    struct peers *peers = peer->peers;
    const bool is_same = peer->life != PEER_UNKNOWN && uuid_equal(peer->incarnation, incarnation);
    if (!is_same && asked < peer->learned)
        return false;
    if (!is_same && peer->life != PEER_UNKNOWN)
        peer_died(peer, "another process answers in its place");
    if (!is_same) {
        peer->incarnation = incarnation;
        peer->life = PEER_ALIVE;
        peer->learned = ++peers->sequence;
        peer->heard_us = peers->io->now_us;
        watch_silence(peer);
    }
    peer_heard(peer);
    return true;
}

/* ---- From outside. ---- */

struct peers *peers_new(struct io *io, const struct peers_identity *identity,
                        const struct peers_settings *settings, struct peers_observer *observer)
{
    struct peers *peers = memory_new(io->memory, struct peers);
    peers->io = io;
    peers->identity = *identity;
    peers->settings = *settings;
    peers->observer = observer;
    map_init(&peers->by_id, io->memory, rng_next(&io->rng));
    list_init(&peers->inbounds);
    list_init(&peers->muted);
    return peers;
}

static struct peer *first_peer(const struct peers *peers)
{
    struct map_node *node = peers->by_id.first;
    return node == NULL ? NULL : container_of(node, struct peer, node);
}

static struct peer *next_peer(const struct peer *peer)
{
    struct map_node *node = map_next(&peer->node);
    return node == NULL ? NULL : container_of(node, struct peer, node);
}

void peers_stop(struct peers *peers)
{
    peers->stopped = true;
    for (struct peer *peer = first_peer(peers); peer != NULL; peer = next_peer(peer)) {
        timer_cancel(&peers->io->timers, &peer->silence_timer);
        outbound_close(peer, NULL);
    }
    struct list *place;
    struct list *next;
    list_each(&peers->inbounds, place, next)
    {
        inbound_close(container_of(place, struct inbound, place), NULL);
    }
}

void peers_free(struct peers *peers)
{
    if (peers == NULL)
        return;
    struct memory *memory = peers->io->memory;
    while (!list_empty(&peers->inbounds))
        inbound_free(container_of(peers->inbounds.next, struct inbound, place));
    struct peer *peer;
    while ((peer = first_peer(peers)) != NULL) {
        timer_cancel(&peers->io->timers, &peer->silence_timer);
        outbound_free(peer);
        map_remove(&peers->by_id, &peer->node);
        memory_give(memory, MEMORY_STATE, peer, sizeof(*peer));
    }
    map_clear(&peers->by_id);
    memory_give(memory, MEMORY_STATE, peers, sizeof(*peers));
}

void peers_know(struct peers *peers, int32_t node_id, struct span host, uint16_t port)
{
    struct peer *peer = node_id == peers->identity.node_id ? NULL : peer_of(peers, node_id);
    if (peer != NULL && !peers->stopped)
        outbound_set_address(peer, host, port);
}

void peers_accept(struct peers *peers, uint64_t connection, struct span address)
{
    inbound_open(peers, connection, address);
}

int peers_send(struct peers *peers, int32_t node_id, int16_t type, const struct wire_schema *schema,
               const void *message, struct buffer *buffer, struct span attached)
{
    struct peer *peer = peer_find(peers, node_id);
    CHECK(type >= PEER_MESSAGE_FIRST);
    if (peer == NULL)
        return ERR_CLOSED;
    return outbound_send(peer, type, schema, message, buffer, attached);
}

bool peers_status(const struct peers *peers, int32_t node_id, struct peer_status *ret_status)
{
    const struct peer *peer = peer_find(peers, node_id);
    if (peer == NULL)
        return false;
    *ret_status = (struct peer_status){
        .heard_us = peer->heard_us,
        .is_up = peer->out.state == OUTBOUND_UP,
        .up_us = peer->out.up_us,
        .is_silent = peer->life == PEER_SILENT,
    };
    if (peer->life != PEER_UNKNOWN)
        ret_status->incarnation = peer->incarnation;
    return true;
}

void peers_resume(struct peers *peers)
{
    struct list *place;
    struct list *next;
    list_each(&peers->muted, place, next)
    {
        inbound_resume(container_of(place, struct inbound, muted));
    }
}
