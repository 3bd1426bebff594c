/* SPDX-License-Identifier: Apache-2.0 */
/* chronik: one program with a command for each task. */
#include <stddef.h>

#include "cli/program.h"

static const struct cmd *const commands[] = {
    &cmd_broker, &cmd_format, &cmd_random_uuid, &cmd_topic, &cmd_cluster,
    &cmd_bench,  &cmd_dump,   &cmd_sim,         NULL,
};

static const struct program program = {
    .name = "chronik",
    .about = "A broker for Kafka clients, and tools for it.",
    .commands = commands,
    .examples = "  chronik broker          start a broker on 127.0.0.1:9092, with its data in\n"
                "                          the folder chronik-data\n"
                "  chronik help broker     how to start it otherwise\n",
};

int main(int argc, char **argv)
{
    return program_main(&program, argc, argv);
}
