/* SPDX-License-Identifier: Apache-2.0 */
/* A broker's metrics over HTTP: GET /metrics, by libmicrohttpd, on the loop's own thread. */
#ifndef CLI_METRICS_SERVER_H
#define CLI_METRICS_SERVER_H

#include "cli/logger.h"
#include "cli/loop.h"
#include "core/base/span.h"
#include "core/broker.h"

struct metrics_server;

struct metrics_server_options {
    struct span listener; /* host:port, as conf_check() took it */
    const struct broker *broker;
    const struct logger *logger; /* is told the address, port 0 being the one that was free */
    struct loop *loop;           /* outlives the server, but for loop_run() */
};

/* Serves from now on, whenever the loop runs. NULL with the reason in *ret_reason, a literal or one
 * of strerror(): the address cannot be listened on, or this machine has no libmicrohttpd. */
struct metrics_server *metrics_server_new(const struct metrics_server_options *options,
                                          const char **ret_reason);

/* Ends it, once the loop does not run any more. NULL is a no-op. */
void metrics_server_free(struct metrics_server *server);

#endif
