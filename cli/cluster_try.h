/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the brokers of a cluster_folder as processes of their own. */
#ifndef CLI_CLUSTER_TRY_H
#define CLI_CLUSTER_TRY_H

#include "cli/cluster_folder.h"

/* Formats what is not formatted, starts all nodes, and says when they are ready. Returns when a
 * signal asks for the end and all have ended, or when that happens by itself; an exit code. The
 * folder is open and the current directory. */
int cluster_try(const struct cluster_folder *folder, const struct cmd *cmd);

#endif
