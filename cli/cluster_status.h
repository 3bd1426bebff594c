/* SPDX-License-Identifier: Apache-2.0 */
/* What a running cluster says of itself. */
#ifndef CLI_CLUSTER_STATUS_H
#define CLI_CLUSTER_STATUS_H

#include <stdbool.h>

#include "cli/client.h"
#include "cli/cluster_view.h"
#include "cli/cmd.h"

/* What is wanted. */
struct cluster_status {
    const char *servers;
    int timeout_ms;
    bool json;
    bool shows_all; /* what is as it should be, too */
};

/* The answer about the metadata's log, a part of `response`; NULL when the broker gives none, or
 * nobody leads. */
quorum_of_response cluster_ask_quorum(struct client *client,
                                      struct describe_quorum_response *response);

/* Asks the first of the servers that answers, and then each broker of its cluster; prints what they
 * say. Returns an exit code; what went wrong was said in the name of `cmd`. */
int cluster_status(const struct cmd *cmd, const struct cluster_status *status);

#endif
