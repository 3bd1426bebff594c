/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a command's options and arguments, with messages that lead somewhere. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/cmd.h"

/* What options_next() found, when it is no option's place in cmd->options. */
enum {
    OPTIONS_ARGUMENT = -1, /* not an option */
    OPTIONS_END = -2,      /* nothing is left */
    OPTIONS_EXIT = -3,     /* help was printed, or a mistake reported: return options.exit_code */
};

struct options {
    const struct cmd *cmd;
    int argc;
    char **argv;
    int index;
    bool only_arguments; /* "--" was passed */
    int exit_code;
};

/* Starts reading what struct cmd's `run` was given. */
void options_start(struct options *options, const struct cmd *cmd, int argc, char **argv);

/*
 * The next option or argument: the option's place in cmd->options with its value, or one of the
 * values above. Options and arguments come in any order; what follows "--" are arguments.
 */
int options_next(struct options *options, const char **ret_value);

/* Reports a mistake on the command line, printf's text, and where help is. Returns the exit
 * code. */
int options_mistake(const struct cmd *cmd, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints a command's help. */
void options_help(const struct cmd *cmd, FILE *out);

#endif
