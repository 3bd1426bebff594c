/* SPDX-License-Identifier: Apache-2.0 */
/* The data folders of a node, for the commands that use them. */
#ifndef CLI_FOLDERS_H
#define CLI_FOLDERS_H

#include <stdbool.h>

#include "cli/cmd.h"
#include "cli/loop.h"
#include "core/conf/conf.h"

/* Makes the folders of log.dirs when they are missing, and locks them for the loop's core, by their
 * numbers. Returns false after saying, in the name of `cmd`, why one cannot be used. */
bool folders_add(struct loop *loop, const struct conf *conf, const struct cmd *cmd);

#endif
