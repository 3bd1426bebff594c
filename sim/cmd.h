/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the program chronik-sim, which "chronik sim" runs: one file each, sim/cmd_NAME.c,
 * which defines one struct cmd. To add one, declare it below and name it in the list in sim/main.c.
 */
#ifndef SIM_CMD_H
#define SIM_CMD_H

#include "cli/cmd.h"

extern const struct cmd cmd_replay;
extern const struct cmd cmd_run;
extern const struct cmd cmd_schema;
extern const struct cmd cmd_show;
extern const struct cmd cmd_shrink;
extern const struct cmd cmd_why;

#endif
