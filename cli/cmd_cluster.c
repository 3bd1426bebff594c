/* SPDX-License-Identifier: Apache-2.0 */
/* chronik cluster: tries one on this host. */
#include <stdbool.h>
#include <string.h>

#include "cli/cluster_folder.h"
#include "cli/cluster_try.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "core/base/format.h"

#define FOLDER_DEFAULT "chronik-cluster"

enum option_place { OPTION_PORT, OPTION_PEERS_PORT };

static const struct option rows[] = {
    [OPTION_PORT] = {"port", "PORT",
                     "try: where the first broker listens for clients; the others take the ports\n"
                     "behind it. Default: 9092."},
    [OPTION_PEERS_PORT] =
        {"peers-port", "PORT",
         "try: where the first broker listens for the others; likewise. Default:\n"
         "10000 more than --port."},
    {NULL, NULL, NULL},
};

/* The command line. */
struct cluster_run {
    bool is_try;
    struct cluster_folder folder;
};

static int take_number(const char *text, int64_t most, int64_t *ret_number)
{
    return parse_int64(span_text(text), ret_number) == 0 && *ret_number >= 1 && *ret_number <= most
               ? 0
               : -1;
}

static int take_option(const struct cmd *cmd, struct cluster_run *run, int place, const char *value)
{
    int64_t number;
    if (take_number(value, UINT16_MAX, &number) != 0)
        return options_mistake(cmd, "--%s %s is no port", rows[place].name, value);
    if (place == OPTION_PORT)
        run->folder.port = (uint16_t)number;
    else
        run->folder.peers_port = (uint16_t)number;
    return EXIT_CODE_DONE;
}

/* "try", then how many nodes, if it is a number, then the folder. */
static int take_argument(const struct cmd *cmd, struct cluster_run *run, const char *value)
{
    int64_t number;
    if (!run->is_try) {
        run->is_try = strcmp(value, "try") == 0;
        return run->is_try ? EXIT_CODE_DONE
                           : options_mistake(cmd, "there is no \"%s\"; there is try", value);
    }
    if (run->folder.path == NULL && run->folder.nodes == 0 &&
        parse_int64(span_text(value), &number) == 0) {
        if (take_number(value, CLUSTER_NODES_MAX, &number) != 0)
            return options_mistake(cmd, "a cluster has 1 to %d nodes here, not %s",
                                   CLUSTER_NODES_MAX, value);
        run->folder.nodes = (uint32_t)number;
        return EXIT_CODE_DONE;
    }
    if (run->folder.path != NULL)
        return options_mistake(cmd, "more than one folder: %s", value);
    run->folder.path = value;
    return EXIT_CODE_DONE;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct cluster_run run = {0};
    struct options options;
    const char *value = NULL;
    int code = EXIT_CODE_DONE;
    int place;
    options_start(&options, cmd, argc, argv);
    while (code == EXIT_CODE_DONE && (place = options_next(&options, &value)) != OPTIONS_END) {
        if (place == OPTIONS_EXIT)
            return options.exit_code;
        code = place == OPTIONS_ARGUMENT ? take_argument(cmd, &run, value)
                                         : take_option(cmd, &run, place, value);
    }
    if (code == EXIT_CODE_DONE && !run.is_try)
        code = options_mistake(cmd, "say what to do: try");
    if (code != EXIT_CODE_DONE)
        return code;
    if (run.folder.path == NULL)
        run.folder.path = FOLDER_DEFAULT;
    code = cluster_folder_open(&run.folder, cmd);
    return code == EXIT_CODE_DONE ? cluster_try(&run.folder, cmd) : code;
}

const struct cmd cmd_cluster = {
    .program = "chronik",
    .name = "cluster",
    .arguments = "try [N] [FOLDER] [OPTION]...",
    .summary = "try a cluster on this host",
    .help =
        "Runs a cluster of N brokers (3 without a number) on this host, each a process of its own\n"
        "with its data below FOLDER (chronik-cluster without a name). The first time the folder\n"
        "is made, or has to be empty, and its nodes are formatted; later they go on where they\n"
        "were. When all of them serve, one line is written to standard output,\n"
        "\n"
        "  chronik cluster ready: 127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094\n"
        "\n"
        "which is what clients want as their bootstrap servers. SIGINT (Ctrl-C), SIGTERM or\n"
        "SIGHUP ends the brokers in order, one after the other; a second one at once. The exit\n"
        "code is 0 when none of them ended otherwise.\n"
        "\n"
        "In the folder are node-1.properties with the settings of the first broker, which may be\n"
        "changed; node-1.log, what it logs; node-1, its data; and so on. A broker that is killed\n"
        "is what the others have to live without: end one with \"kill -9\" and its number, which\n"
        "is shown, and see.",
    .examples = "chronik cluster try\n"
                "    Three brokers at 127.0.0.1:9092, 9093 and 9094, in chronik-cluster.\n"
                "chronik cluster try 5 /tmp/five --port 29092\n"
                "    Five of them, elsewhere.\n"
                "kcat -b 127.0.0.1:9092,127.0.0.1:9093 -L\n"
                "    What a client sees of it.",
    .options = rows,
    .run = run,
};
