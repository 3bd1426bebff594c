/* SPDX-License-Identifier: Apache-2.0 */
/* How "chronik cluster status" shows a cluster. */
#ifndef CLI_CLUSTER_PRINT_H
#define CLI_CLUSTER_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/cluster_view.h"

/* Tables: the brokers, with what each does, the nodes that keep the metadata, and of partitions and
 * streams those that are not as they should be, up to so many that they fit on a screen; or with
 * `shows_all` every one. */
void cluster_print(FILE *out, const struct cluster_view *view, bool shows_all);

/* Everything, as one line of JSON. */
void cluster_print_json(FILE *out, const struct cluster_view *view);

#endif
