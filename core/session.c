/* SPDX-License-Identifier: Apache-2.0 */
#include "core/session.h"

#include "core/api/table.h"
#include "core/base/check.h"
#include "core/broker_state.h"
#include "core/frame.h"
#include "core/lease.h"
#include "core/refusals.h"
#include "core/wire/error.h"

/* Past these bytes of frames and replies, too, a session is muted until replies have left. */
#define SESSION_BYTES_MAX ((uint64_t)256 * 1024 * 1024)

#define SEND_PIECES_MAX 1024

static void input_watch(struct session *session);
static void bytes_received(struct op *op, const struct completion *completion);

static struct io *session_io(struct session *session)
{
    return &session->broker->io;
}

static void session_release(struct session *session)
{
    struct broker *broker = session->broker;
    timer_cancel(&broker->io.timers, &session->idle_timer);
    list_remove(&session->place);
    list_remove(&session->muted);
    if (session->input_task.place.next != NULL)
        list_remove(&session->input_task.place);
    if (session->send_task.place.next != NULL)
        list_remove(&session->send_task.place);
    buffer_release(session->input.buffer);
    memory_give(&broker->memory, MEMORY_STATE, session->pieces,
                session->pieces_capacity * sizeof(struct piece));
    memory_give(&broker->memory, MEMORY_STATE, session, sizeof(*session));
    broker->sessions_count--;
}

/* Frees a closing session once nothing of it is under way any more. */
static void session_settle(struct session *session)
{
    if (session->state == SESSION_CLOSING && !op_busy(&session->close_op) &&
        !op_busy(&session->input_op) && !op_busy(&session->send_op) &&
        list_empty(&session->requests))
        session_release(session);
}

static void closed(struct op *op, const struct completion *completion)
{
    (void)completion;
    session_settle(container_of(op, struct session, close_op));
}

static void requests_cancel(struct session *session)
{
    struct list *place;
    struct list *next;
    list_each(&session->requests, place, next)
    {
        struct request *request = container_of(place, struct request, place);
        if (!request->answered && request->cancel == NULL)
            continue; /* its handler still answers */
        if (!request->answered)
            request->cancel(request);
        request_free(request);
    }
}

void session_close(struct session *session, const char *why)
{
    if (session->state == SESSION_CLOSING)
        return;
    session->state = SESSION_CLOSING;
    unfinished_set(session, NULL);
    if (why != NULL)
        refusals_tell(session->broker, session->peer, why);
    list_remove(&session->muted);
    requests_cancel(session);
    io_close(session_io(session), &session->close_op, closed, session->connection);
}

/* Idle connections end after connections.max.idle.ms; the timer is moved only when it fires. While
 * something is being sent, the driver finds out whether the peer takes it in. */
static void idle_check(struct timer *timer)
{
    struct session *session = container_of(timer, struct session, idle_timer);
    struct io *io = session_io(session);
    const uint64_t idle_us = session->broker->limits.connection_idle_us;
    if (!list_empty(&session->requests) || !list_empty(&session->sending))
        session->active_us = io->now_us;
    if (session->active_us + idle_us > io->now_us)
        timer_set(&io->timers, timer, session->active_us + idle_us, idle_check);
    else
        session_close(session, "it was idle for connections.max.idle.ms");
}

static void session_mute(struct session *session)
{
    if (list_empty(&session->muted))
        list_append(&session->broker->muted, &session->muted);
}

/* The address in "address:port". */
static struct span peer_address(struct span peer)
{
    while (peer.length > 0 && peer.data[peer.length - 1] != ':')
        peer.length--;
    return peer;
}

/* True when this session is one too many, or one too many from its address. */
static bool session_is_beyond_limits(const struct session *session)
{
    const struct broker *broker = session->broker;
    if (broker->sessions_count > broker->limits.connections)
        return true;
    if (broker->sessions_count <= broker->limits.connections_per_ip)
        return false;
    const struct span address = peer_address(session->peer);
    uint32_t count = 0;
    for (const struct list *at = broker->sessions.next; at != &broker->sessions; at = at->next) {
        const struct session *other =
            (const struct session *)((const char *)at - offsetof(struct session, place));
        count += other->state == SESSION_OPEN && span_equal(peer_address(other->peer), address);
    }
    return count > broker->limits.connections_per_ip;
}

void session_open(struct broker *broker, uint64_t connection, uint32_t listener, struct span peer)
{
    struct session *session = memory_new(&broker->memory, struct session);
    session->broker = broker;
    session->connection = connection;
    session->listener = listener;
    session->active_us = broker->io.now_us;
    const size_t length =
        peer.length < sizeof(session->peer_text) ? peer.length : sizeof(session->peer_text);
    memcpy(session->peer_text, peer.data, length);
    session->peer = span_of(session->peer_text, length);
    list_init(&session->muted);
    list_init(&session->requests);
    list_init(&session->sending);
    list_init(&session->input_task.place);
    list_init(&session->send_task.place);
    list_append(&broker->sessions, &session->place);
    broker->sessions_count++;
    if (session_is_beyond_limits(session)) {
        session_close(session, "there are max.connections or max.connections.per.ip already");
        return;
    }
    if (broker->limits.connection_idle_us > 0)
        timer_set(&broker->io.timers, &session->idle_timer,
                  broker->io.now_us + broker->limits.connection_idle_us, idle_check);
    if (broker->state == BROKER_BOOTING)
        session_mute(session);
    else if (broker->state == BROKER_SERVING)
        input_watch(session);
    else
        session_close(session, NULL);
}

/* True while so much is under way that nothing more is taken in. */
static bool session_is_full(const struct session *session)
{
    return session->requests_count >= SESSION_REQUESTS_MAX ||
           session->requests_bytes >= SESSION_BYTES_MAX;
}

/* Makes room behind what was received. False: no memory now. */
static bool input_find_room(struct session *session)
{
    struct broker *broker = session->broker;
    const struct input_room room = {&broker->memory, MEMORY_RECEIVE, broker->limits.receive_bytes};
    const struct buffer *before = session->input.buffer;
    uint32_t size;
    const bool is_known = input_frame_size(&session->input, &size);
    session->starved_bytes =
        input_make_room(&session->input, &room, is_known ? FRAME_SIZE_BYTES + size : 0);
    if (session->starved_bytes > 0)
        return false;
    if (session->input.buffer != before && input_length(&session->input) > 0)
        unfinished_set(session, session->input.buffer);
    return true;
}

/* Nor is it seen that the peer has gone, so that nothing may wait for as long as that pleases. */
static void session_mute_full(struct session *session)
{
    session_mute(session);
    session->hurries = true;
    session_answered(session);
}

static void input_readable(struct op *op, const struct completion *completion)
{
    struct session *session = container_of(op, struct session, input_op);
    if (session->state != SESSION_OPEN) {
        session_settle(session);
        return;
    }
    if (completion->error != ERR_NONE) {
        session_close(session, NULL);
        return;
    }
    if (session_is_full(session)) {
        session_mute_full(session);
        return;
    }
    if (!input_find_room(session)) {
        session_mute(session);
        return;
    }
    io_receive(session_io(session), &session->input_op, bytes_received, session->connection,
               session->input.buffer->data + session->input.end,
               session->input.buffer->capacity - session->input.end);
}

static void input_watch(struct session *session)
{
    if (session_is_full(session))
        session_mute_full(session);
    else
        io_watch(session_io(session), &session->input_op, input_readable, session->connection);
}

/* Why a frame cannot be taken, or NULL. */
static const char *frame_refusal(const struct session *session, uint32_t size)
{
    if (size > session->broker->limits.request_bytes)
        return "a request is larger than socket.request.max.bytes (not Kafka's protocol?)";
    if (size < FRAME_BYTES_MIN)
        return "a request is too short to be one";
    return NULL;
}

/* What is left of the input when its whole frames were cut out of it. */
static void input_keep_rest(struct session *session)
{
    input_settle(&session->input);
    if (session->input.buffer != NULL && session->state == SESSION_OPEN &&
        !session_is_full(session)) {
        input_shrink(&session->input);
        unfinished_set(session, session->input.buffer);
    }
}

/* Cuts whole frames out of the input and hands each to its handler. */
static void input_parse(struct session *session)
{
    uint32_t size;
    struct span frame;
    while (session->state == SESSION_OPEN && !session_is_full(session) &&
           input_frame_size(&session->input, &size)) {
        const char *why = frame_refusal(session, size);
        if (why != NULL) {
            session_close(session, why);
            return;
        }
        if (!input_take_frame(&session->input, &frame))
            break;
        unfinished_set(session, NULL); /* what follows is another request */
        frame_handle(session, session->input.buffer, frame);
    }
    input_keep_rest(session);
}

static void bytes_received(struct op *op, const struct completion *completion)
{
    struct session *session = container_of(op, struct session, input_op);
    if (session->state != SESSION_OPEN) {
        session_settle(session);
        return;
    }
    if (completion->error != ERR_NONE) {
        session_close(session, NULL);
        return;
    }
    input_received(&session->input, (uint32_t)completion->count);
    session->active_us = session_io(session)->now_us;
    input_parse(session);
    if (session->state == SESSION_OPEN)
        input_watch(session);
}

static void input_resumed(struct turn_task *task)
{
    struct session *session = container_of(task, struct session, input_task);
    if (session->state != SESSION_OPEN || op_busy(&session->input_op))
        return;
    input_parse(session);
    if (session->state == SESSION_OPEN)
        input_watch(session);
}

/* Could what the session was muted for go well now? To try it in vain would be to try it for
 * ever. */
static bool session_may_go_on(const struct session *session)
{
    const struct memory *memory = &session->broker->memory;
    const uint64_t limit = memory->limit_bytes[MEMORY_RECEIVE];
    if (session_is_full(session))
        return false;
    return session->starved_bytes == 0 || limit == 0 ||
           memory->used_bytes[MEMORY_RECEIVE] + session->starved_bytes <= limit;
}

void session_resume(struct session *session)
{
    if (session->state != SESSION_OPEN || list_empty(&session->muted) ||
        !session_may_go_on(session))
        return;
    list_remove(&session->muted);
    session->starved_bytes = 0;
    /* Not at once: a handler further up the stack may be the one who answered. */
    io_at_turn_end(session_io(session), &session->input_task, input_resumed);
}

static void sent(struct op *op, const struct completion *completion)
{
    struct session *session = container_of(op, struct session, send_op);
    struct list *place;
    while ((place = list_pop(&session->sending)) != NULL)
        request_free(container_of(place, struct request, place));
    if (session->state != SESSION_OPEN) {
        session_settle(session);
        return;
    }
    if (completion->error != ERR_NONE) {
        session_close(session, NULL);
        return;
    }
    session->active_us = session_io(session)->now_us;
    session_answered(session);
    session_resume(session);
}

/* Moves the pieces of one reply to the send that is being gathered. */
static void send_add(struct session *session, struct request *request, uint32_t *count)
{
    session->pieces =
        memory_grow(&session->broker->memory, session->pieces, &session->pieces_capacity,
                    *count + request->pieces_count, sizeof(struct piece));
    memcpy(session->pieces + *count, request->pieces, request->pieces_count * sizeof(struct piece));
    *count += request->pieces_count;
}

/* One that cannot be answered ends the session, and with it the others. */
static void requests_hurry(struct session *session)
{
    struct list *place;
    struct list *next;
    session->hurries = false;
    list_each(&session->requests, place, next)
    {
        struct request *request = container_of(place, struct request, place);
        if (request->hurry != NULL)
            request->hurry(request);
        if (session->state != SESSION_OPEN)
            return;
    }
}

/* One gathered send of the replies that are ready, in the order of their requests; up to where
 * those begin or end that may leave only while the lease holds. */
static void send_ready(struct turn_task *task)
{
    struct session *session = container_of(task, struct session, send_task);
    if (session->hurries && session->state == SESSION_OPEN)
        requests_hurry(session);
    if (session->state != SESSION_OPEN || op_busy(&session->send_op))
        return;
    uint32_t count = 0;
    bool is_promise = false;
    while (!list_empty(&session->requests) && count < SEND_PIECES_MAX) {
        struct request *request = container_of(session->requests.next, struct request, place);
        if (!request->answered || (count > 0 && request->is_promise != is_promise))
            break;
        list_remove(&request->place);
        if (request->pieces_count == 0) {
            request_free(request);
            continue;
        }
        is_promise = request->is_promise;
        send_add(session, request, &count);
        list_append(&session->sending, &request->place);
    }
    if (count > 0)
        io_send_until(session_io(session), &session->send_op, sent, session->connection,
                      session->pieces, count,
                      is_promise ? lease_until_us(session->broker) : TIMER_NEVER);
    else
        session_resume(session);
}

void session_answered(struct session *session)
{
    if (session->state == SESSION_OPEN && !list_empty(&session->requests))
        io_at_turn_end(session_io(session), &session->send_task, send_ready);
}

void session_request_gone(struct session *session)
{
    session_settle(session);
}

void session_free(struct session *session)
{
    struct list *place;
    while ((place = list_pop(&session->requests)) != NULL)
        request_free(container_of(place, struct request, place));
    while ((place = list_pop(&session->sending)) != NULL)
        request_free(container_of(place, struct request, place));
    session_release(session);
}
