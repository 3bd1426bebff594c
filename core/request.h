/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of a client, from its frame to its reply. A handler (core/api/) answers in the step
 * in which it is called or in a later one; replies leave in the order in which the requests came.
 */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/list.h"
#include "core/log/log.h"
#include "core/wire/codec.h"

struct broker;
struct session;
struct request;

/* Answers `request`, now or later, by exactly one of request_reply(), request_reply_ranges(),
 * request_done() or request_refuse(). */
typedef void request_handler(struct broker *broker, struct request *request);

struct request {
    struct list place; /* the session's, in order of arrival */
    struct session *session;
    const struct wire_api *api;
    request_handler *handler;
    int16_t version;
    int32_t correlation_id;
    struct span client_id;
    struct arena arena;   /* lives until the reply was sent; the body and handlers' own state */
    struct buffer *frame; /* the bytes that spans of the body lie in; NULL: they are in the arena */
    uint32_t frame_length;
    size_t counted_bytes; /* of the arena, among the session's */
    const void *body;     /* struct X_request of the API */

    /* Set by a handler that waits: takes all its waiters back, because the connection went. The
     * request is freed right after. NULL: the handler still answers, and the answer is dropped. */
    void (*cancel)(struct request *request);
    void *state; /* the handler's own, in the arena */

    /* Set while it waits for as long as its client pleases, and could be answered as well at once:
     * does that. */
    void (*hurry)(struct request *request);

    /* The reply. */
    bool answered;
    bool is_promise; /* it holds only while this broker leads: not to be sent without a lease */
    struct buffer *reply; /* NULL: nothing is sent (acks=0) */
    uint32_t reply_length;
    struct piece *pieces; /* in the arena */
    uint32_t pieces_count;
    struct log_range *ranges; /* pinned until sent; in the arena */
    uint32_t ranges_count;
};

/* A zeroed response struct of the request's API with the schema's defaults; NULL when the request's
 * arena is full (then request_refuse()). */
void *request_response(struct request *request);

/* Encodes `response` (struct X_response; needed only for this call) and queues it. */
void request_reply(struct request *request, const void *response);

/* The same where records come from files: `ranges` in the order of the response's records fields
 * that have a length and no data; they stay pinned until sent. `ranges` lies in the request's
 * arena. */
void request_reply_ranges(struct request *request, const void *response, struct log_range *ranges,
                          uint32_t ranges_count);

/* A request of `session` whose frame lies in `buffer`, which it holds: last of the session's. NULL
 * past the budget. */
struct request *request_new(struct session *session, struct buffer *buffer, uint32_t frame_length);

/* May the request, which can be answered as well at once, wait for as long as its client pleases?
 * Not when those of its session hold much already, or some while memory for requests is scarce: a
 * few clients could take all of it, and keep it. Then it is to be answered in this step, and those
 * of the session that wait are hurried at the end of the turn: replies leave in the order of the
 * requests. */
bool request_may_wait(struct request *request);

/* Counts what its arena has taken so far among what the session's requests hold. */
void request_count(struct request *request);

/* Takes a request out of whatever list it is in and gives back all that it holds. */
void request_free(struct request *request);

/* Ends the request without a reply (acks=0). */
void request_done(struct request *request);

/* Ends the request and closes its connection, saying why in the log. */
void request_refuse(struct request *request, const char *why);

#endif
