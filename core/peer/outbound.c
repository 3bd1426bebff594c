/* SPDX-License-Identifier: Apache-2.0 */
#include "core/peer/outbound.h"

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/base/format.h"
#include "core/peer/state.h"
#include "core/wire/error.h"

/* Between dials in vain: so long at first, twice as long each time, and by chance up to half of it
 * less, so that nodes that start together do not dial in step. Short at first: a process that is
 * killed may lose its connections before it stops to listen, and the next dial proves its end. */
#define BACKOFF_US_LEAST ((uint64_t)2 * 1000)
#define BACKOFF_US_MOST  ((uint64_t)1000 * 1000)

/* A connection that is up for less than this may end for a reason that the next one has, too. */
#define UP_WELL_US BACKOFF_US_MOST

static void dial(struct peer *peer);

static struct peer *peer_of_out(struct outbound *out)
{
    return container_of(out, struct peer, out);
}

#define PEER_OF(op, member) peer_of_out(container_of(op, struct outbound, member))

static struct io *io_of(const struct peer *peer)
{
    return peer->peers->io;
}

/* ---- Waiting, and dialling. ---- */

static void waited(struct timer *timer)
{
    dial(PEER_OF(timer, timer));
}

static void wait_to_dial(struct peer *peer, bool at_once)
{
    struct outbound *out = &peer->out;
    struct io *io = io_of(peer);
    uint64_t wait_us = 0;
    out->state = OUTBOUND_WAITING;
    if (at_once) {
        out->backoff_us = BACKOFF_US_LEAST;
    } else {
        wait_us = out->backoff_us - rng_next(&io->rng) % (out->backoff_us / 2);
        out->backoff_us *= 2;
        if (out->backoff_us > BACKOFF_US_MOST)
            out->backoff_us = BACKOFF_US_MOST;
    }
    timer_set(&io->timers, &out->timer, io->now_us + wait_us, waited);
}

/* A refused dial proves something only of the process that had listened there, and only if the
 * dial began after it was known to live. */
static bool is_proof(const struct peer *peer)
{
    const struct outbound *out = &peer->out;
    return peer->life != PEER_UNKNOWN && uuid_equal(out->listener, peer->incarnation) &&
           out->asked >= peer->learned && !out->is_stale;
}

static void dial_failed(struct peer *peer, int error)
{
    struct outbound *out = &peer->out;
    if (error != out->last_error)
        io_log(io_of(peer), LOG_INFO,
               "a node cannot be reached: node=%d host=%.*s port=%d error=%s", peer->node_id,
               (int)out->host_length, out->host, out->port, error_text(error));
    out->last_error = error;
    const bool has_died = error == ERR_REFUSED && is_proof(peer);
    wait_to_dial(peer, out->is_stale);
    if (has_died)
        peer_died(peer, "nobody listens any more where it did");
}

/* ---- Closing. ---- */

void outbound_settle(struct peer *peer)
{
    struct outbound *out = &peer->out;
    if (out->state != OUTBOUND_CLOSING || op_busy(&out->close_op) || op_busy(&out->input_op) ||
        op_busy(&out->send_op))
        return;
    if (peer->peers->stopped) {
        out->state = OUTBOUND_NO_ADDRESS;
        return;
    }
    if (out->up_us == 0) {
        wait_to_dial(peer, out->is_stale);
        return;
    }
    const bool was_short = io_of(peer)->now_us - out->up_us < UP_WELL_US;
    out->short_ends = was_short ? out->short_ends + 1 : 0;
    wait_to_dial(peer, out->short_ends <= 1 || out->is_stale);
}

static void closed(struct op *op, const struct completion *completion)
{
    (void)completion;
    outbound_settle(PEER_OF(op, close_op));
}

void outbound_close(struct peer *peer, const char *why)
{
    struct outbound *out = &peer->out;
    struct peers *peers = peer->peers;
    timer_cancel(&peers->io->timers, &out->timer);
    if (out->state != OUTBOUND_GREETING && out->state != OUTBOUND_UP)
        return;
    const bool was_up = out->state == OUTBOUND_UP;
    out->state = OUTBOUND_CLOSING;
    outbound_forget(peer);
    io_close(peers->io, &out->close_op, closed, out->connection);
    if (!peers->stopped && (was_up || why != out->last_why))
        io_log(peers->io, LOG_INFO, "a link ended: node=%d why=%s", peer->node_id,
               why == NULL ? "the other node closed it" : why);
    out->last_why = why;
    if (was_up && !peers->stopped && peers->observer->down != NULL)
        peers->observer->down(peers->observer, peer->node_id);
}

/* ---- What the other end says. ---- */

static void watch(struct peer *peer);

/* The other end has to be heard of before the silence limit; meanwhile heartbeats are sent. */
static void look(struct timer *timer)
{
    struct peer *peer = PEER_OF(timer, timer);
    struct outbound *out = &peer->out;
    struct peers *peers = peer->peers;
    const uint64_t now_us = peers->io->now_us;
    if (out->is_stale) {
        outbound_close(peer, "the node has another address now");
        return;
    }
    if (out->heard_us + peers->settings.silence_us <= now_us) {
        if (!peers_were_away(peers, timer, look))
            outbound_close(peer, "nothing came on it any more");
        return;
    }
    uint64_t due_us = out->heard_us + peers->settings.silence_us;
    if (out->state == OUTBOUND_UP) {
        uint64_t beat_us = out->sent_us + peers->settings.heartbeat_us;
        if (beat_us <= now_us) {
            outbound_send_small(peer);
            beat_us = now_us + peers->settings.heartbeat_us;
        }
        if (due_us > beat_us)
            due_us = beat_us;
    }
    timer_set(&peers->io->timers, timer, due_us, look);
}

static void up(struct peer *peer)
{
    struct outbound *out = &peer->out;
    struct peers *peers = peer->peers;
    out->state = OUTBOUND_UP;
    out->up_us = peers->io->now_us;
    out->last_error = ERR_NONE;
    out->last_refusal = ERR_NONE;
    out->last_why = NULL;
    outbound_send_small(peer); /* says the nonce */
    timer_set(&peers->io->timers, &out->timer, peers->io->now_us, look);
    io_log(peers->io, LOG_INFO, "a link is up: node=%d host=%.*s port=%d", peer->node_id,
           (int)out->host_length, out->host, out->port);
    if (peers->observer->up != NULL)
        peers->observer->up(peers->observer, peer->node_id);
}

static void welcomed(struct peer *peer, struct span body)
{
    struct outbound *out = &peer->out;
    const struct peers *peers = peer->peers;
    struct peer_welcome welcome;
    if (!frame_read_welcome(body, &welcome)) {
        outbound_close(peer, "its welcome is malformed: is that a node of a cluster?");
        return;
    }
    if (welcome.node_id != peer->node_id ||
        !span_equal(welcome.cluster_id, peers->identity.cluster_id) ||
        welcome.version < PEER_VERSION_LOWEST || welcome.version > PEER_VERSION_HIGHEST) {
        outbound_close(peer, "another node than was dialled answered: see to "
                             "controller.quorum.voters");
        return;
    }
    if (!peer_learn(peer, welcome.incarnation, out->asked)) {
        outbound_close(peer, "it leads to an earlier process of that node");
        return;
    }
    out->listener = welcome.incarnation;
    out->version = welcome.version;
    out->nonce = welcome.nonce;
    up(peer);
}

/* A refusal is told once, as long as it stays the same. */
static void refused(struct peer *peer, struct span body)
{
    struct outbound *out = &peer->out;
    struct peer_refusal refusal;
    if (!frame_read_refusal(body, &refusal)) {
        outbound_close(peer, "its refusal is malformed: is that a node of a cluster?");
        return;
    }
    if (refusal.error_code != out->last_refusal)
        io_log(io_of(peer), LOG_WARN, "a node refused this one: node=%d host=%.*s port=%d why=%.*s",
               peer->node_id, (int)out->host_length, out->host, out->port, SPAN_ARGS(refusal.text));
    out->last_refusal = refusal.error_code;
    outbound_close(peer, NULL);
}

static void answered(struct peer *peer, struct span frame)
{
    struct outbound *out = &peer->out;
    struct span body;
    int64_t nonce;
    const int16_t type = frame_type(frame, &body);
    if (type == PEER_WELCOME && out->state == OUTBOUND_GREETING)
        welcomed(peer, body);
    else if (type == PEER_REFUSAL && out->state == OUTBOUND_GREETING)
        refused(peer, body);
    else if (type != PEER_HEARTBEAT || out->state != OUTBOUND_UP ||
             !frame_read_heartbeat(body, &nonce))
        outbound_close(peer, "it answered what no node answers");
}

/* Cuts answers out of what was received; none is larger than there is room for. */
static void parse(struct peer *peer)
{
    struct outbound *out = &peer->out;
    uint32_t start = 0;
    while (out->state == OUTBOUND_GREETING || out->state == OUTBOUND_UP) {
        const uint32_t have = out->got.length - start;
        if (have < FRAME_SIZE_BYTES)
            break;
        const uint8_t *at = out->got.bytes + start;
        const uint32_t size = get_be32(at);
        if (size < PEER_TYPE_BYTES || size > PEER_SMALL_BYTES_MAX) {
            outbound_close(peer, "it answered what no node answers");
            return;
        }
        if (have - FRAME_SIZE_BYTES < size)
            break;
        start += FRAME_SIZE_BYTES + size;
        answered(peer, span_of(at + FRAME_SIZE_BYTES, size));
    }
    out->got.length -= start;
    memmove(out->got.bytes, out->got.bytes + start, out->got.length);
}

static void received(struct op *op, const struct completion *completion)
{
    struct peer *peer = PEER_OF(op, input_op);
    struct outbound *out = &peer->out;
    if (out->state == OUTBOUND_CLOSING) {
        outbound_settle(peer);
        return;
    }
    if (completion->error != ERR_NONE) {
        outbound_close(peer, NULL);
        return;
    }
    if (completion->count > 0) {
        CHECK(completion->count <= sizeof(out->got.bytes) - out->got.length);
        out->got.length += (uint32_t)completion->count;
        out->heard_us = io_of(peer)->now_us;
        if (out->state == OUTBOUND_UP)
            peer_heard(peer);
        parse(peer);
    }
    if (out->state == OUTBOUND_GREETING || out->state == OUTBOUND_UP)
        watch(peer);
}

static void readable(struct op *op, const struct completion *completion)
{
    struct peer *peer = PEER_OF(op, input_op);
    struct outbound *out = &peer->out;
    if (out->state == OUTBOUND_CLOSING) {
        outbound_settle(peer);
        return;
    }
    if (completion->error != ERR_NONE) {
        outbound_close(peer, NULL);
        return;
    }
    io_receive(io_of(peer), &out->input_op, received, out->connection,
               out->got.bytes + out->got.length, sizeof(out->got.bytes) - out->got.length);
}

static void watch(struct peer *peer)
{
    io_watch(io_of(peer), &peer->out.input_op, readable, peer->out.connection);
}

/* ---- The connection comes about. ---- */

static void connected(struct op *op, const struct completion *completion)
{
    struct peer *peer = PEER_OF(op, connect_op);
    struct outbound *out = &peer->out;
    struct peers *peers = peer->peers;
    if (completion->error == ERR_NONE) {
        out->connection = completion->count;
        out->state = OUTBOUND_GREETING;
        out->got.length = 0;
        out->up_us = 0;
        out->heard_us = peers->io->now_us;
    }
    if (completion->error == ERR_NONE && (peers->stopped || out->is_stale)) {
        outbound_close(peer, NULL);
    } else if (completion->error == ERR_NONE) {
        timer_set(&peers->io->timers, &out->timer, out->heard_us + peers->settings.silence_us,
                  look);
        outbound_send_small(peer);
        watch(peer);
    } else if (peers->stopped) {
        out->state = OUTBOUND_NO_ADDRESS;
    } else {
        dial_failed(peer, completion->error);
    }
}

static void dial(struct peer *peer)
{
    struct outbound *out = &peer->out;
    out->state = OUTBOUND_CONNECTING;
    out->is_stale = false;
    out->asked = peer->peers->sequence;
    memcpy(out->dialled, out->host, out->host_length);
    io_connect(io_of(peer), &out->connect_op, connected, span_of(out->dialled, out->host_length),
               out->port);
}

/* ---- From outside. ---- */

void outbound_init(struct peer *peer)
{
    struct outbound *out = &peer->out;
    out->backoff_us = BACKOFF_US_LEAST;
    list_init(&out->queue);
    list_init(&out->sending);
    list_init(&out->send_task.place);
}

static void set_address(struct peer *peer, struct span host, uint16_t port)
{
    struct outbound *out = &peer->out;
    CHECK(host.length > 0 && host.length <= PEER_HOST_BYTES_MAX);
    if (out->port == port && span_equal(span_of(out->host, out->host_length), host))
        return;
    memcpy(out->host, host.data, host.length);
    out->host_length = (uint32_t)host.length;
    out->port = port;
    out->last_error = ERR_NONE;
    out->listener = (struct uuid){{0}};
    if (out->state == OUTBOUND_NO_ADDRESS || out->state == OUTBOUND_WAITING)
        wait_to_dial(peer, true);
    else
        out->is_stale = true;
    if (out->state == OUTBOUND_GREETING || out->state == OUTBOUND_UP)
        timer_set(&io_of(peer)->timers, &out->timer, io_of(peer)->now_us, look);
}

void outbound_set_address(struct peer *peer, struct span host, uint16_t port)
{
    peer->out.is_hearsay = false;
    set_address(peer, host, port);
}

void outbound_hear_address(struct peer *peer, struct span host, uint16_t port)
{
    struct outbound *out = &peer->out;
    if (out->state != OUTBOUND_NO_ADDRESS && !out->is_hearsay)
        return;
    out->is_hearsay = true;
    set_address(peer, host, port);
}

void outbound_free(struct peer *peer)
{
    struct outbound *out = &peer->out;
    struct io *io = io_of(peer);
    timer_cancel(&io->timers, &out->timer);
    list_remove(&out->send_task.place);
    outbound_free_parcels(peer);
    memory_give(io->memory, MEMORY_STATE, out->pieces, out->pieces_capacity * sizeof(struct piece));
}
