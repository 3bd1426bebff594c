/* SPDX-License-Identifier: Apache-2.0 */
#include "core/leader_call.h"

#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/meta/controller.h"
#include "core/peer/peers.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Types of frames, behind those of core/meta/quorum_link.c. */
#define TYPE_ASK  (PEER_MESSAGE_FIRST + 33)
#define TYPE_TOLD (PEER_MESSAGE_FIRST + 34)

/* What decoding another node's request and answering it may take. */
#define TASK_ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* A request of this node's client that the leader was asked for; in the request's arena. */
struct asked_call {
    struct list place;
    struct leader_calls *calls;
    struct request *request;
    const struct leader_service *service;
    int64_t number;
    struct timer timer;
};

/* ---- The leader ---- */

void *leader_task_response(struct leader_task *task)
{
    void *response = arena_take(task->arena, task->api->response->size);
    if (response != NULL)
        wire_defaults(task->api->response, response);
    return response;
}

/* `message` as it is sent: a buffer with one reference; NULL when there is no memory. */
static struct buffer *encode(struct broker *broker, const struct wire_schema *schema,
                             int16_t version, const void *message)
{
    const size_t size = wire_size(schema, version, message);
    struct buffer *buffer = size > PEER_FRAME_BYTES_MAX / 2
                                ? NULL
                                : buffer_new(&broker->memory, MEMORY_SEND, (uint32_t)size);
    if (buffer == NULL)
        return NULL;
    struct wire_writer writer = {.data = buffer->data, .capacity = size};
    wire_encode(schema, version, message, &writer);
    return buffer;
}

static void tell(struct leader_calls *calls, int32_t node_id, int64_t number, struct buffer *answer)
{
    const struct quorum_told told = {
        .number = number,
        .body = {NULL, answer == NULL ? 0 : answer->capacity},
    };
    peers_send(calls->broker->cluster->peers, node_id, TYPE_TOLD, &wire_quorum_told, &told, answer,
               answer == NULL ? SPAN_NULL : span_of(answer->data, answer->capacity));
}

static void task_free(struct leader_task *task)
{
    struct leader_calls *calls = &task->broker->cluster->calls;
    list_remove(&task->place);
    calls->tasks_count--;
    buffer_release(task->buffer);
    arena_reset(&task->own_arena);
    memory_give(&task->broker->memory, MEMORY_STATE, task, sizeof(*task));
}

void leader_task_answer(struct leader_task *task, const void *response)
{
    task->cancel = NULL;
    if (task->request != NULL) {
        if (response != NULL)
            request_reply(task->request, response);
        else
            request_refuse(task->request, "there is no memory for an answer to it");
        return;
    }
    struct buffer *answer =
        response == NULL ? NULL
                         : encode(task->broker, task->api->response, task->version, response);
    tell(&task->broker->cluster->calls, task->node_id, task->number, answer);
    buffer_release(answer);
    task_free(task);
}

static void task_cancel(struct request *request)
{
    struct leader_task *task = request->state;
    if (task->cancel != NULL)
        task->cancel(task);
}

/* This node leads: its own client's request. */
static void serve_here(struct broker *broker, struct request *request,
                       const struct leader_service *service)
{
    struct leader_task *task = arena_take(&request->arena, sizeof(*task));
    if (task == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    task->broker = broker;
    task->api = request->api;
    task->version = request->version;
    task->body = request->body;
    task->arena = &request->arena;
    task->request = request;
    request->state = task;
    request->cancel = task_cancel;
    service->serve(task);
}

/* Takes over what another node asks for; false where it cannot be served. */
static bool task_read(struct leader_task *task, const struct quorum_ask *ask)
{
    const struct broker *broker = task->broker;
    task->api = wire_api_find(ask->api_key);
    void *body = arena_take(task->arena, task->api->request->size);
    task->body = body;
    return body != NULL && broker->cluster->calls.tasks_count <= LEADER_TASKS_MAX &&
           broker->controller != NULL && quorum_leads(controller_quorum(broker->controller)) &&
           ask->version >= task->api->version_min && ask->version <= task->api->version_max &&
           wire_decode(task->api->request, ask->version, ask->body, task->arena, body) == ERR_NONE;
}

/* Another node's client wants something. */
static const char *on_ask(struct leader_calls *calls, const struct peer_message *message)
{
    struct broker *broker = calls->broker;
    struct leader_task *task = memory_new(&broker->memory, struct leader_task);
    struct quorum_ask ask;
    arena_init(&task->own_arena, &broker->memory, MEMORY_REQUEST, TASK_ARENA_BYTES_MAX);
    list_append(&calls->tasks, &task->place);
    calls->tasks_count++;
    task->broker = broker;
    task->arena = &task->own_arena;
    task->node_id = message->node_id;
    task->buffer = buffer_hold(message->buffer);
    if (wire_decode(&wire_quorum_ask, message->version, message->body, task->arena, &ask) !=
        ERR_NONE) {
        task_free(task);
        return "a request for the leader is malformed";
    }
    task->number = ask.number;
    task->version = ask.version;
    const struct leader_service *service = leader_service_find(ask.api_key);
    if (service != NULL && task_read(task, &ask))
        service->serve(task);
    else
        leader_task_answer(task, NULL);
    return NULL;
}

/* ---- Whose client it is ---- */

static void call_end(struct asked_call *call)
{
    timer_cancel(&call->calls->broker->io.timers, &call->timer);
    list_remove(&call->place);
}

static void call_refuse(struct asked_call *call, int error)
{
    struct request *request = call->request;
    const struct leader_service *service = call->service;
    call_end(call);
    service->refuse(request, error);
}

static void call_timed_out(struct timer *timer)
{
    call_refuse(container_of(timer, struct asked_call, timer), ERR_REQUEST_TIMED_OUT);
}

static void call_cancel(struct request *request)
{
    call_end(request->state);
}

static const char *on_told(struct leader_calls *calls, const struct peer_message *message)
{
    struct arena arena;
    struct quorum_told told;
    arena_init(&arena, &calls->broker->memory, MEMORY_REQUEST, TASK_ARENA_BYTES_MAX);
    const int error =
        wire_decode(&wire_quorum_told, message->version, message->body, &arena, &told);
    arena_reset(&arena); /* the message has no arrays */
    if (error != ERR_NONE)
        return "an answer of the leader is malformed";
    struct list *place = calls->asked.next;
    while (place != &calls->asked &&
           container_of(place, struct asked_call, place)->number != told.number)
        place = place->next;
    if (place == &calls->asked)
        return NULL; /* too late */
    struct asked_call *call = container_of(place, struct asked_call, place);
    struct request *request = call->request;
    void *response = told.body.length == 0 ? NULL : request_response(request);
    if (response == NULL || wire_decode(request->api->response, request->version, told.body,
                                        &request->arena, response) != ERR_NONE) {
        call_refuse(call, ERR_NOT_CONTROLLER);
        return NULL;
    }
    call_end(call);
    request_reply(request, response);
    return NULL;
}

/* Asks the leader, another node. False when it cannot be asked. */
static bool ask(struct asked_call *call, int32_t leader)
{
    const struct request *request = call->request;
    struct broker *broker = call->calls->broker;
    struct buffer *body = encode(broker, request->api->request, request->version, request->body);
    if (body == NULL)
        return false;
    const struct quorum_ask message = {
        .number = call->number,
        .api_key = request->api->key,
        .version = request->version,
        .body = {NULL, body->capacity},
    };
    const int error = peers_send(broker->cluster->peers, leader, TYPE_ASK, &wire_quorum_ask,
                                 &message, body, span_of(body->data, body->capacity));
    buffer_release(body);
    return error == ERR_NONE;
}

static void ask_leader(struct broker *broker, struct request *request,
                       const struct leader_service *service, int32_t leader)
{
    struct leader_calls *calls = &broker->cluster->calls;
    struct asked_call *call = arena_take(&request->arena, sizeof(*call));
    if (call == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    call->calls = calls;
    call->request = request;
    call->service = service;
    call->number = ++calls->number;
    list_append(&calls->asked, &call->place);
    if (!ask(call, leader)) {
        call_refuse(call, ERR_NOT_CONTROLLER);
        return;
    }
    request->state = call;
    request->cancel = call_cancel;
    timer_set(&broker->io.timers, &call->timer,
              broker->io.now_us + (uint64_t)LEADER_CALL_TIMEOUT_MS * 1000, call_timed_out);
}

void leader_call(struct broker *broker, struct request *request,
                 const struct leader_service *service)
{
    const struct raft_status status = quorum_status(controller_quorum(broker->controller));
    if (status.role == RAFT_LEADER)
        serve_here(broker, request, service);
    else if (status.leader == RAFT_NOBODY || broker->cluster == NULL)
        service->refuse(request, ERR_NOT_CONTROLLER);
    else
        ask_leader(broker, request, service, status.leader);
}

/* ---- Both ---- */

void leader_calls_init(struct leader_calls *calls, struct broker *broker)
{
    *calls = (struct leader_calls){.broker = broker};
    list_init(&calls->asked);
    list_init(&calls->tasks);
}

void leader_calls_free(struct leader_calls *calls)
{
    while (!list_empty(&calls->tasks)) {
        struct leader_task *task = container_of(calls->tasks.next, struct leader_task, place);
        if (task->cancel != NULL)
            task->cancel(task);
        task_free(task);
    }
    while (!list_empty(&calls->asked)) {
        struct asked_call *call = container_of(calls->asked.next, struct asked_call, place);
        call->request->cancel = NULL;
        call_end(call);
    }
}

bool leader_calls_expect(int16_t type)
{
    return type == TYPE_ASK || type == TYPE_TOLD;
}

const char *leader_calls_receive(struct leader_calls *calls, const struct peer_message *message)
{
    return message->type == TYPE_ASK ? on_ask(calls, message) : on_told(calls, message);
}
