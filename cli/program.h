/* SPDX-License-Identifier: Apache-2.0 */
/* A program that has a command for each task: its list of commands, its help, its mistakes. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "cli/cmd.h"

struct program {
    const char *name;                  /* as it is called, "chronik" */
    const char *about;                 /* one line */
    const struct cmd *const *commands; /* in the order of the help; NULL ends the list */
    const char *examples;              /* lines, indented */
};

/* main() of a program: runs the command that argv names, or helps. Output that went nowhere (a full
 * disk, a closed pipe) is a failure. Returns the exit code. */
int program_main(const struct program *program, int argc, char **argv);

#endif
