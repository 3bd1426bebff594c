/* SPDX-License-Identifier: Apache-2.0 */
/* How "chronik cluster status" shows a cluster. */
#ifndef CLI_CLUSTER_PRINT_H
#define CLI_CLUSTER_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/wire/messages.h"

struct cluster_view {
    const struct describe_cluster_response *cluster;
    bool knows_fenced; /* the answer tells who is fenced */
    const struct metadata_response *metadata;
    const struct describe_quorum_response_topic_partition *quorum; /* NULL: nobody told of it */
};

/* The brokers, with what each does, the nodes that keep the metadata, and the partitions that are
 * not as they should be, of topics in their order: tables, or one line of JSON. */
void cluster_print(FILE *out, const struct cluster_view *view, bool json);

#endif
