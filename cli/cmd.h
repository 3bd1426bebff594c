/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of a program: one file each, cmd_NAME.c, which defines one struct cmd. To add one to
 * chronik, declare it below and name it in the list in cli/main.c.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

/* Exit codes of every command. */
enum exit_code {
    EXIT_CODE_DONE = 0,
    EXIT_CODE_FAILED = 1, /* it could not be done; standard error says why */
    EXIT_CODE_USAGE = 2,  /* the command line is wrong; nothing was tried */
};

/* One option, "--name" or "--name VALUE" (or "--name=VALUE"). */
struct option {
    const char *name;  /* without dashes; NULL ends the list */
    const char *value; /* what the value is called, as in "FILE"; NULL: the option takes none */
    const char *help;  /* one or more lines */
};

struct cmd {
    const char *program; /* whose command it is, as "chronik" */
    const char *name;
    const char *arguments; /* as in "[FILE] [--set KEY=VALUE]..." */
    const char *summary;   /* half a line, for the list of commands */
    const char *help;      /* paragraphs */
    const char *examples;  /* command lines, each explained */
    const struct option *options;

    /* Runs the command with what follows its name on the command line; argv[0] is the name. Options
     * are read with cli/options.h, which takes care of --help. Returns an exit code. */
    int (*run)(const struct cmd *cmd, int argc, char **argv);
};

extern const struct cmd cmd_bench;
extern const struct cmd cmd_broker;
extern const struct cmd cmd_cluster;
extern const struct cmd cmd_dump;
extern const struct cmd cmd_format;
extern const struct cmd cmd_random_uuid;
extern const struct cmd cmd_sim;
extern const struct cmd cmd_topic;

#endif
