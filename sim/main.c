/* SPDX-License-Identifier: Apache-2.0 */
/* chronik-sim: the simulated world as a program of commands. */
#include <stddef.h>

#include "cli/program.h"
#include "sim/cmd.h"

static const struct cmd *const commands[] = {
    &cmd_show, &cmd_why, &cmd_replay, &cmd_schema, NULL,
};

static const struct program program = {
    .name = "chronik sim",
    .about = "Runs brokers in a simulated world, under every fault, and judges what they do.",
    .commands = commands,
    .examples = "  chronik sim help schema    how an editor checks scenarios\n",
};

int main(int argc, char **argv)
{
    return program_main(&program, argc, argv);
}
