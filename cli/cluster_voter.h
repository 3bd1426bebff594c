/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps the metadata of a cluster: nodes are made voters, and are voters no more (KIP-853). */
#ifndef CLI_CLUSTER_VOTER_H
#define CLI_CLUSTER_VOTER_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cmd.h"
#include "core/base/uuid.h"
#include "core/conf/endpoint.h"

struct cluster_voter {
    const char *servers; /* of which the first that answers is asked */
    int timeout_ms;
    bool adds; /* or removes */
    int32_t id;
    bool has_directory;
    struct uuid directory;    /* of its metadata log; without one, the one that the cluster tells */
    struct endpoint listener; /* adds: where it listens for other nodes; a null name: as the others'
                               */
};

/* Makes the change and says so. Returns an exit code; what went wrong was said in the name of
 * `cmd`. */
int cluster_voter(const struct cmd *cmd, const struct cluster_voter *voter);

#endif
