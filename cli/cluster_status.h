/* SPDX-License-Identifier: Apache-2.0 */
/* What a running cluster says of itself. */
#ifndef CLI_CLUSTER_STATUS_H
#define CLI_CLUSTER_STATUS_H

#include <stdbool.h>

#include "cli/cmd.h"

/* Asks the first of `servers` that answers, and prints what it says. Returns an exit code; what
 * went wrong was said in the name of `cmd`. */
int cluster_status(const struct cmd *cmd, const char *servers, int timeout_ms, bool json);

#endif
