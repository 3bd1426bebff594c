/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "core/base/nearest.h"

static const struct cmd *command_find(const struct program *program, const char *name)
{
    for (size_t i = 0; program->commands[i] != NULL; i++) {
        if (strcmp(program->commands[i]->name, name) == 0)
            return program->commands[i];
    }
    return NULL;
}

static void print_usage(const struct program *program, FILE *out)
{
    fprintf(out,
            "usage: %s COMMAND [ARGUMENT]...\n"
            "       %s help [COMMAND]\n"
            "       %s --version\n"
            "\n"
            "%s\n"
            "\n"
            "Commands:\n",
            program->name, program->name, program->name, program->about);
    for (size_t i = 0; program->commands[i] != NULL; i++)
        fprintf(out, "  %-11s %s\n", program->commands[i]->name, program->commands[i]->summary);
    fprintf(out, "\nExamples:\n%s", program->examples);
}

static int unknown_command(const struct program *program, const char *name)
{
    struct nearest nearest;
    nearest_start(&nearest, span_text(name));
    for (size_t i = 0; program->commands[i] != NULL; i++)
        nearest_consider(&nearest, program->commands[i]->name);
    nearest_consider(&nearest, "help");
    nearest_consider(&nearest, "--help");
    nearest_consider(&nearest, "--version");
    fprintf(stderr, "%s: there is no command \"%s\"", program->name, name);
    if (nearest.name != NULL)
        fprintf(stderr, "; did you mean \"%s\"?", nearest.name);
    fprintf(stderr, "\nTry \"%s help\".\n", program->name);
    return EXIT_CODE_USAGE;
}

static int help(const struct program *program, int argc, char **argv)
{
    if (argc < 3) {
        print_usage(program, stdout);
        return EXIT_CODE_DONE;
    }
    const struct cmd *cmd = command_find(program, argv[2]);
    if (cmd == NULL)
        return unknown_command(program, argv[2]);
    options_help(cmd, stdout);
    return EXIT_CODE_DONE;
}

static int run(const struct program *program, int argc, char **argv)
{
    if (argc < 2) {
        print_usage(program, stderr);
        return EXIT_CODE_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("%s %s\n", program->name, CHRONIK_VERSION);
        return EXIT_CODE_DONE;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(program, argc, argv);
    const struct cmd *cmd = command_find(program, name);
    return cmd == NULL ? unknown_command(program, name) : cmd->run(cmd, argc - 1, argv + 1);
}

int program_main(const struct program *program, int argc, char **argv)
{
    const int exit_code = run(program, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "%s: cannot write to standard output: %s\n", program->name,
                strerror(errno));
        return exit_code == EXIT_CODE_DONE ? EXIT_CODE_FAILED : exit_code;
    }
    return exit_code;
}
