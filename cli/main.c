/* SPDX-License-Identifier: Apache-2.0 */
/* chronik: one program with a command for each task. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/options.h"
#include "core/base/nearest.h"

/* In the order of "chronik help"; NULL ends the list. */
static const struct cmd *const commands[] = {
    &cmd_broker,
    &cmd_topic,
    &cmd_dump,
    NULL,
};

static const struct cmd *command_find(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static void print_usage(FILE *out)
{
    fprintf(out, "usage: chronik COMMAND [ARGUMENT]...\n"
                 "       chronik help [COMMAND]\n"
                 "       chronik --version\n"
                 "\n"
                 "A broker for Kafka clients, and tools for it.\n"
                 "\n"
                 "Commands:\n");
    for (size_t i = 0; commands[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n"
                 "Examples:\n"
                 "  chronik broker          start a broker on 127.0.0.1:9092, with its data in\n"
                 "                          the folder chronik-data\n"
                 "  chronik help broker     how to start it otherwise\n");
}

static int unknown_command(const char *name)
{
    struct nearest nearest;
    nearest_start(&nearest, span_text(name));
    for (size_t i = 0; commands[i] != NULL; i++)
        nearest_consider(&nearest, commands[i]->name);
    nearest_consider(&nearest, "help");
    nearest_consider(&nearest, "--help");
    nearest_consider(&nearest, "--version");
    fprintf(stderr, "chronik: there is no command \"%s\"", name);
    if (nearest.name != NULL)
        fprintf(stderr, "; did you mean \"%s\"?", nearest.name);
    fprintf(stderr, "\nTry \"chronik help\".\n");
    return EXIT_CODE_USAGE;
}

static int help(int argc, char **argv)
{
    if (argc < 3) {
        print_usage(stdout);
        return EXIT_CODE_DONE;
    }
    const struct cmd *cmd = command_find(argv[2]);
    if (cmd == NULL)
        return unknown_command(argv[2]);
    options_help(cmd, stdout);
    return EXIT_CODE_DONE;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_CODE_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("chronik %s\n", CHRONIK_VERSION);
        return EXIT_CODE_DONE;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc, argv);
    const struct cmd *cmd = command_find(name);
    return cmd == NULL ? unknown_command(name) : cmd->run(cmd, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    const int exit_code = run(argc, argv);
    /* Output that went nowhere (a full disk, a closed pipe) is not done. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "chronik: cannot write to standard output: %s\n", strerror(errno));
        return exit_code == EXIT_CODE_DONE ? EXIT_CODE_FAILED : exit_code;
    }
    return exit_code;
}
