/* SPDX-License-Identifier: Apache-2.0 */
/* A request that changes topics: one proposal to the controller, answered when it is durable. */
#ifndef CORE_API_CHANGE_H
#define CORE_API_CHANGE_H

#include <stdbool.h>

#include "core/meta/controller.h"
#include "core/meta/topics.h"
#include "core/request.h"

/* Lies at the front of the handler's own state, in the request's arena. */
struct change {
    struct broker *broker;
    struct request *request;
    bool validate_only; /* everything is judged, and nothing happens */
    /* Judges the request by the image, writes what shall happen and fills the response. */
    void (*write)(struct change *change, struct topics_context *context);
    /* Replies. With an error nothing of what was written happened. */
    void (*done)(struct change *change, int error);
    struct meta_proposal proposal;
};

/* Said where a part of a request finds no room in its arena. */
#define CHANGE_NO_ROOM SPAN("The request is too large to be carried out as a whole.")

/* A handler's state of `size` bytes that begins with a change; NULL: the request was refused. */
void *change_new(struct broker *broker, struct request *request, size_t size);

/* Proposes it; `write`, then `done` are called later. */
void change_propose(struct change *change);

#endif
