/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator is a program of its own, which needs libraries that a broker does not: this hands
 * the command line over to it. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"

#define PROGRAM "chronik-sim"

static const struct option no_options[] = {{0}};

/* The path of the program in the folder that ours is in; false when it has none that fits. */
static bool find_beside(char *ret_path, size_t path_bytes)
{
    const ssize_t length = readlink("/proc/self/exe", ret_path, path_bytes);
    if (length <= 0 || (size_t)length >= path_bytes)
        return false;
    ret_path[length] = '\0';
    char *name = strrchr(ret_path, '/');
    if (name == NULL || (size_t)(name + 1 - ret_path) + sizeof(PROGRAM) > path_bytes)
        return false;
    memcpy(name + 1, PROGRAM, sizeof(PROGRAM));
    return true;
}

static int run_sim(const struct cmd *cmd, int argc, char **argv)
{
    static char name[] = PROGRAM;
    char path[PATH_MAX];
    (void)cmd;
    (void)argc;
    argv[0] = name;
    errno = ENOENT;
    if (find_beside(path, sizeof(path)))
        execv(path, argv);
    if (errno == ENOENT)
        execvp(PROGRAM, argv);
    fprintf(stderr, "chronik sim: cannot run %s: %s\n", PROGRAM, strerror(errno));
    if (errno == ENOENT)
        fprintf(stderr, "It is built where the libraries jansson and sqlite3 are.\n");
    return EXIT_CODE_FAILED;
}

const struct cmd cmd_sim = {
    .program = "chronik",
    .name = "sim",
    .arguments = "COMMAND [ARGUMENT]...",
    .summary = "run brokers in a simulated world, under every fault",
    .help = "Runs the program chronik-sim, whose commands \"chronik sim help\" lists.",
    .examples = "chronik sim help\n"
                "    What it can do.",
    .options = no_options,
    .run = run_sim,
};
