/* SPDX-License-Identifier: Apache-2.0 */
#include "core/peer/inbound.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/peer/state.h"
#include "core/wire/error.h"

/* A receive is given this much room at first. */
#define RECEIVE_BYTES ((uint32_t)64 * 1024)

/* What is received is answered as often as that: a part of the heartbeats' interval. */
#define ANSWERS_PER_HEARTBEAT 2

static void watch(struct inbound *in);
static void send_ready(struct turn_task *task);
static void look(struct timer *timer);

/* Takes it out of where it is known, but for peers->inbounds. */
static void detach(struct inbound *in)
{
    list_remove(&in->muted);
    timer_cancel(&in->peers->io->timers, &in->timer);
    if (in->peer != NULL && in->peer->in == in)
        in->peer->in = NULL;
}

void inbound_free(struct inbound *in)
{
    struct peers *peers = in->peers;
    detach(in);
    list_remove(&in->place);
    list_remove(&in->send_task.place);
    buffer_release(in->input.buffer);
    peers->inbounds_count--;
    memory_give(peers->io->memory, MEMORY_STATE, in, sizeof(*in));
}

static void settle(struct inbound *in)
{
    if (in->state == INBOUND_CLOSING && !op_busy(&in->close_op) && !op_busy(&in->input_op) &&
        !op_busy(&in->send_op))
        inbound_free(in);
}

static void closed(struct op *op, const struct completion *completion)
{
    (void)completion;
    settle(container_of(op, struct inbound, close_op));
}

void inbound_close(struct inbound *in, const char *why)
{
    if (in->state == INBOUND_CLOSING)
        return;
    struct io *io = in->peers->io;
    if (why != NULL && in->peer == NULL)
        io_log(io, LOG_WARN, "a connection to a listener for nodes is closed: from=%.*s why=%s",
               SPAN_ARGS(in->address), why);
    else if (why != NULL)
        io_log(io, LOG_INFO, "a connection of a node is closed: node=%d from=%.*s why=%s",
               in->peer->node_id, SPAN_ARGS(in->address), why);
    in->state = INBOUND_CLOSING;
    detach(in);
    io_close(io, &in->close_op, closed, in->connection);
}

/* ---- What is said to it: a welcome or a refusal, then signs of life. ---- */

static void small_send(struct inbound *in)
{
    in->small_waits = true;
    io_at_turn_end(in->peers->io, &in->send_task, send_ready);
}

static void sent(struct op *op, const struct completion *completion)
{
    struct inbound *in = container_of(op, struct inbound, send_op);
    if (in->state == INBOUND_CLOSING)
        settle(in);
    else if (completion->error != ERR_NONE || in->state == INBOUND_REFUSING)
        inbound_close(in, NULL);
    else if (in->small_waits)
        small_send(in);
}

/* The frame is written when it is sent: before, the last one may still be on its way. A refusal was
 * written, and nothing precedes it. */
static void send_ready(struct turn_task *task)
{
    struct inbound *in = container_of(task, struct inbound, send_task);
    struct io *io = in->peers->io;
    if (in->state == INBOUND_CLOSING || op_busy(&in->send_op) || !in->small_waits)
        return;
    if (in->state == INBOUND_WELCOMED)
        frame_welcome(in->peers, in->version, in->nonce, &in->small);
    else if (in->state == INBOUND_PROVEN)
        frame_heartbeat(0, &in->small);
    in->small_waits = false;
    in->answered_us = io->now_us;
    in->small_piece = (struct piece){.data = in->small.bytes, .length = in->small.length};
    io_send(io, &in->send_op, sent, in->connection, &in->small_piece, 1);
}

static void refuse(struct inbound *in, int16_t error, const char *why)
{
    io_log(in->peers->io, LOG_WARN, "a node is refused: from=%.*s why=%s", SPAN_ARGS(in->address),
           why);
    frame_refusal(error, span_text(why), &in->small);
    in->state = INBOUND_REFUSING;
    small_send(in);
}

/* ---- What it says. ---- */

static void greeted(struct inbound *in, const struct peer_hello *hello)
{
    struct peers *peers = in->peers;
    const struct peers_identity *self = &peers->identity;
    if (!span_equal(hello->cluster_id, self->cluster_id)) {
        refuse(in, ERR_INCONSISTENT_CLUSTER_ID,
               "the other node's cluster.id is another one: see to meta.properties and "
               "controller.quorum.voters");
        return;
    }
    if (hello->to_node_id != self->node_id || hello->node_id == self->node_id ||
        hello->node_id < 0) {
        refuse(in, ERR_INVALID_REQUEST,
               "the node that was dialled has another node.id: see to controller.quorum.voters");
        return;
    }
    if (hello->version_lowest > PEER_VERSION_HIGHEST ||
        hello->version_highest < PEER_VERSION_LOWEST ||
        hello->version_lowest > hello->version_highest) {
        refuse(in, ERR_UNSUPPORTED_VERSION,
               "the nodes have no version of the protocol between nodes in common: see to the "
               "releases that they run");
        return;
    }
    in->peer = peer_of(peers, hello->node_id);
    if (in->peer == NULL) {
        refuse(in, ERR_POLICY_VIOLATION, "more nodes than one may know are known already");
        return;
    }
    if (hello->host.length > 0 && hello->host.length <= PEER_HOST_BYTES_MAX && hello->port > 0 &&
        hello->port <= UINT16_MAX)
        outbound_hear_address(in->peer, hello->host, (uint16_t)hello->port);
    in->directory_id = hello->directory_id;
    in->incarnation = hello->incarnation;
    in->version = hello->version_highest < PEER_VERSION_HIGHEST ? hello->version_highest
                                                                : PEER_VERSION_HIGHEST;
    in->nonce = (int64_t)rng_next(&peers->io->rng);
    in->asked = peers->sequence;
    in->state = INBOUND_WELCOMED;
    small_send(in);
}

/* The nonce came back: whoever said hello is there, and says everything here from now on. */
static void proven(struct inbound *in)
{
    struct peer *peer = in->peer;
    if (!peer_learn(peer, in->incarnation, in->asked)) {
        inbound_close(in, "it may be of an earlier process");
        return;
    }
    if (peer->in != NULL)
        inbound_close(peer->in, "the node made a new one");
    peer->in = in;
    in->state = INBOUND_PROVEN;
    peer_heard(peer);
}

static void message_came(struct inbound *in, int16_t type, struct span body)
{
    struct peers_observer *observer = in->peers->observer;
    const struct peer_message message = {
        .node_id = in->peer->node_id,
        .directory_id = in->directory_id,
        .type = type,
        .version = in->version,
        .body = body,
        .buffer = in->input.buffer,
    };
    const char *why = observer->received == NULL ? "it sent what this node knows nothing of"
                                                 : observer->received(observer, &message);
    if (why != NULL)
        inbound_close(in, why);
}

static void frame_came(struct inbound *in, struct span frame)
{
    struct span body;
    struct peer_hello hello;
    int64_t nonce;
    const int16_t type = frame_type(frame, &body);
    if (in->state == INBOUND_GREETING) {
        if (type == PEER_HELLO && frame_read_hello(body, &hello))
            greeted(in, &hello);
        else
            inbound_close(in, "it is no node of a cluster: clients use other listeners");
    } else if (type == PEER_HEARTBEAT && frame_read_heartbeat(body, &nonce) && nonce == in->nonce) {
        if (in->state == INBOUND_WELCOMED)
            proven(in);
    } else if (type >= PEER_MESSAGE_FIRST && in->state == INBOUND_PROVEN) {
        message_came(in, type, body);
    } else {
        inbound_close(in, "it sent what no node sends");
    }
}

static const char *size_refusal(const struct inbound *in, uint32_t size)
{
    if (size < PEER_TYPE_BYTES)
        return "a frame is too short to be one";
    if (in->state != INBOUND_PROVEN && size > PEER_SMALL_BYTES_MAX)
        return "it is no node of a cluster: clients use other listeners";
    return size > PEER_FRAME_BYTES_MAX ? "a frame is larger than one may be" : NULL;
}

static bool is_heard(const struct inbound *in)
{
    return in->state == INBOUND_GREETING || in->state == INBOUND_WELCOMED ||
           in->state == INBOUND_PROVEN;
}

static void parse(struct inbound *in)
{
    uint32_t size;
    struct span frame;
    while (is_heard(in) && input_frame_size(&in->input, &size)) {
        const char *why = size_refusal(in, size);
        if (why != NULL) {
            inbound_close(in, why);
            return;
        }
        if (!input_take_frame(&in->input, &frame))
            break;
        frame_came(in, frame);
    }
    input_settle(&in->input);
    if (in->input.buffer != NULL)
        input_shrink(&in->input);
}

static void received(struct op *op, const struct completion *completion)
{
    struct inbound *in = container_of(op, struct inbound, input_op);
    struct peers *peers = in->peers;
    if (in->state == INBOUND_CLOSING) {
        settle(in);
        return;
    }
    if (completion->error != ERR_NONE) {
        inbound_close(in, NULL);
        return;
    }
    input_received(&in->input, (uint32_t)completion->count);
    if (completion->count > 0) {
        in->heard_us = peers->io->now_us;
        if (in->state == INBOUND_PROVEN)
            peer_heard(in->peer);
    }
    parse(in);
    if (in->state == INBOUND_PROVEN &&
        in->answered_us + peers->settings.heartbeat_us / ANSWERS_PER_HEARTBEAT <= peers->io->now_us)
        small_send(in);
    if (is_heard(in))
        watch(in);
}

/* Nothing is received for now; the other node hears all the same that this one is there. */
static void mute(struct inbound *in)
{
    const struct peers *peers = in->peers;
    list_append(&in->peers->muted, &in->muted);
    timer_set(&peers->io->timers, &in->timer,
              peers->io->now_us + peers->settings.heartbeat_us / ANSWERS_PER_HEARTBEAT, look);
}

static void readable(struct op *op, const struct completion *completion)
{
    struct inbound *in = container_of(op, struct inbound, input_op);
    if (in->state == INBOUND_CLOSING) {
        settle(in);
        return;
    }
    if (completion->error != ERR_NONE) {
        inbound_close(in, NULL);
        return;
    }
    uint32_t size;
    const struct input_room room = {in->peers->io->memory, MEMORY_PEER_RECEIVE, RECEIVE_BYTES};
    const bool is_known = input_frame_size(&in->input, &size);
    in->starved_bytes = input_make_room(&in->input, &room, is_known ? FRAME_SIZE_BYTES + size : 0);
    if (in->starved_bytes > 0)
        mute(in);
    else
        io_receive(in->peers->io, &in->input_op, received, in->connection,
                   in->input.buffer->data + in->input.end,
                   in->input.buffer->capacity - in->input.end);
}

static void watch(struct inbound *in)
{
    io_watch(in->peers->io, &in->input_op, readable, in->connection);
}

void inbound_resume(struct inbound *in)
{
    const struct memory *memory = in->peers->io->memory;
    const uint64_t limit = memory->limit_bytes[MEMORY_PEER_RECEIVE];
    if (limit > 0 && memory->used_bytes[MEMORY_PEER_RECEIVE] + in->starved_bytes > limit)
        return;
    list_remove(&in->muted);
    watch(in);
}

/* ---- Its life. ---- */

/* Who is silent for too long is gone, or never was a node. */
static void look(struct timer *timer)
{
    struct inbound *in = container_of(timer, struct inbound, timer);
    struct peers *peers = in->peers;
    const uint64_t now_us = peers->io->now_us;
    if (!list_empty(&in->muted)) {
        /* That nothing is heard of it is this node's doing. */
        in->heard_us = now_us;
        if (in->state == INBOUND_PROVEN) {
            peer_heard(in->peer);
            small_send(in);
        }
        timer_set(&peers->io->timers, timer,
                  now_us + peers->settings.heartbeat_us / ANSWERS_PER_HEARTBEAT, look);
        return;
    }
    if (in->heard_us + peers->settings.silence_us > now_us)
        timer_set(&peers->io->timers, timer, in->heard_us + peers->settings.silence_us, look);
    else if (!peers_were_away(peers, timer, look))
        inbound_close(in, in->state == INBOUND_PROVEN ? "nothing came on it any more"
                                                      : "it did not say in time who it is");
}

static void open_limited(struct inbound *in)
{
    struct peers *peers = in->peers;
    if (peers->stopped) {
        inbound_close(in, NULL);
        return;
    }
    if (peers->inbounds_count > PEER_INBOUNDS_MAX) {
        inbound_close(in, "there are more connections of nodes than there may be");
        return;
    }
    timer_set(&peers->io->timers, &in->timer, in->heard_us + peers->settings.silence_us, look);
    watch(in);
}

void inbound_open(struct peers *peers, uint64_t connection, struct span address)
{
    struct inbound *in = memory_new(peers->io->memory, struct inbound);
    const size_t length =
        address.length < sizeof(in->address_text) ? address.length : sizeof(in->address_text);
    in->peers = peers;
    in->connection = connection;
    in->heard_us = peers->io->now_us;
    memcpy(in->address_text, address.data, length);
    in->address = span_of(in->address_text, length);
    list_init(&in->muted);
    list_init(&in->send_task.place);
    list_append(&peers->inbounds, &in->place);
    peers->inbounds_count++;
    open_limited(in);
}
