/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that only the leader of the quorum can answer, taken by any node:
 *
 *   client ─▶ handler ─▶ leader_call() ──this node leads──▶ serve() ─▶ answer
 *                             │                                          │
 *                             └── ASK ─▶ the leader: serve() ─▶ TOLD ────┘
 *
 * A call that is lost with its link, or with the leader, is answered as failed when its time is
 * over. Whether what it asked for was done is not known then.
 */
#ifndef CORE_LEADER_CALL_H
#define CORE_LEADER_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/list.h"
#include "core/base/timer.h"
#include "core/request.h"

struct broker;
struct leader_task;
struct peer_message;

/* How long the leader's answer is waited for. */
#define LEADER_CALL_TIMEOUT_MS 10000

/* Requests of other nodes that a leader has under way; one more is not answered. */
#define LEADER_TASKS_MAX 100

/* What is done for one API. */
struct leader_service {
    int16_t key;
    /* On the leader: answers by leader_task_answer(), now or later. */
    void (*serve)(struct leader_task *task);
    /* There is no answer: ERR_NOT_CONTROLLER (nobody leads), ERR_REQUEST_TIMED_OUT. Replies. */
    void (*refuse)(struct request *request, int error);
};

/* One request that the leader answers. */
struct leader_task {
    struct list place;
    struct broker *broker;
    const struct wire_api *api;
    int16_t version;
    const void *body;        /* struct X_request of the API */
    struct arena *arena;     /* as long as the task */
    struct request *request; /* a client's own; NULL: another node asked */
    /* Set by a service that waits: nobody waits for its answer any more, and the task goes. */
    void (*cancel)(struct leader_task *task);
    void *state; /* the service's own */
    /* Of a task for another node. */
    int32_t node_id;
    int64_t number;
    struct buffer *buffer; /* that the body lies in */
    struct arena own_arena;
};

/* A zeroed response of the task's API with its defaults; NULL when the arena is full. */
void *leader_task_response(struct leader_task *task);

/* Answers with `response`, which is needed for this call only; NULL: it cannot be answered. The
 * task is gone. */
void leader_task_answer(struct leader_task *task, const void *response);

/* Has the leader answer a client's request. */
void leader_call(struct broker *broker, struct request *request,
                 const struct leader_service *service);

/* What nodes of a cluster have under way. */
struct leader_calls {
    struct broker *broker;
    struct list asked; /* struct asked_call, of this node's clients */
    struct list tasks; /* struct leader_task, for other nodes */
    uint32_t tasks_count;
    int64_t number; /* of the latest call */
};

void leader_calls_init(struct leader_calls *calls, struct broker *broker);
void leader_calls_free(struct leader_calls *calls);

/* Whether messages of this type are for it; takes one, and says what is wrong with it, or NULL. */
bool leader_calls_expect(int16_t type);
const char *leader_calls_receive(struct leader_calls *calls, const struct peer_message *message);

/* The services (core/api/leader_services.c); NULL: there is none for this API. */
const struct leader_service *leader_service_find(int16_t key);

#endif
