/* SPDX-License-Identifier: Apache-2.0 */
/* How "chronik cluster status" shows a cluster. */
#ifndef CLI_CLUSTER_PRINT_H
#define CLI_CLUSTER_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/wire/messages.h"

/* The brokers, with what each does, and the partitions that are not as they should be, of topics in
 * their order: tables, or one line of JSON. `knows_fenced`: the answer tells who is fenced. */
void cluster_print(FILE *out, const struct describe_cluster_response *cluster, bool knows_fenced,
                   const struct metadata_response *metadata, bool json);

#endif
