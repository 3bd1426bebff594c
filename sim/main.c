/* SPDX-License-Identifier: Apache-2.0 */
/* chronik-sim: the simulated world as a program of commands. */
#include <stddef.h>

#include "cli/program.h"
#include "sim/cmd.h"

static const struct cmd *const commands[] = {
    &cmd_run, &cmd_show, &cmd_why, &cmd_shrink, &cmd_replay, &cmd_schema, NULL,
};

static const struct program program = {
    .name = "chronik sim",
    .about = "Runs brokers in a simulated world, under every fault, and judges what they do.",
    .commands = commands,
    .examples =
        "  chronik sim run scenarios/ --seeds 1-100    a hundred runs, of all scenarios in turn\n"
        "  chronik sim help run                        how to run them otherwise\n",
};

int main(int argc, char **argv)
{
    return program_main(&program, argc, argv);
}
