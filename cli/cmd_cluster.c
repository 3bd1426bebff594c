/* SPDX-License-Identifier: Apache-2.0 */
/* chronik cluster: tries one on this host; asks any how it is; changes who keeps its metadata. */
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "cli/cluster_folder.h"
#include "cli/cluster_status.h"
#include "cli/cluster_try.h"
#include "cli/cluster_voter.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "core/base/format.h"
#include "core/base/nearest.h"

#define FOLDER_DEFAULT     "chronik-cluster"
#define SERVERS_DEFAULT    "127.0.0.1:9092"
#define TIMEOUT_MS_DEFAULT 10000

enum option_place {
    OPTION_PORT,
    OPTION_PEERS_PORT,
    OPTION_SERVER,
    OPTION_JSON,
    OPTION_ALL,
    OPTION_TIMEOUT,
    OPTION_DIRECTORY,
    OPTIONS
};

static const struct option rows[] = {
    [OPTION_PORT] = {"port", "PORT",
                     "try: where the first broker listens for clients; the others take the ports\n"
                     "behind it. Default: 9092."},
    [OPTION_PEERS_PORT] =
        {"peers-port", "PORT",
         "try: where the first broker listens for the others; likewise. Default:\n"
         "10000 more than --port."},
    [OPTION_SERVER] =
        {"bootstrap-server", "HOST:PORT",
         "status, voter: a broker, or several with commas between, of which the first\n"
         "that answers is asked. Default: 127.0.0.1:9092."},
    [OPTION_JSON] = {"json", NULL, "status: one line of JSON, with everything."},
    [OPTION_ALL] = {"all", NULL,
                    "status: every partition and stream, not only those that lag, or are down."},
    [OPTION_TIMEOUT] =
        {"timeout", "MS",
         "status, voter: how long to wait for the broker, in milliseconds; for each of\n"
         "the others status waits a third of that. Default: 10000."},
    [OPTION_DIRECTORY] = {"directory", "ID",
                          "voter: the directory.id of the node's metadata log, as in its\n"
                          "meta.properties. Default: what the cluster tells of the node."},
    {NULL, NULL, NULL},
};

enum action { ACTION_TRY, ACTION_STATUS, ACTION_VOTER, ACTIONS };

static const char *const action_names[ACTIONS] = {"try", "status", "voter"};

/* What each option is for, as bits. */
static const unsigned option_uses[OPTIONS] = {
    [OPTION_PORT] = 1u << ACTION_TRY,
    [OPTION_PEERS_PORT] = 1u << ACTION_TRY,
    [OPTION_SERVER] = 1u << ACTION_STATUS | 1u << ACTION_VOTER,
    [OPTION_JSON] = 1u << ACTION_STATUS,
    [OPTION_ALL] = 1u << ACTION_STATUS,
    [OPTION_TIMEOUT] = 1u << ACTION_STATUS | 1u << ACTION_VOTER,
    [OPTION_DIRECTORY] = 1u << ACTION_VOTER,
};

/* The command line. */
struct cluster_run {
    enum action action; /* ACTIONS: none yet */
    uint32_t given;     /* options, as bits by their place */
    struct cluster_folder folder;
    struct cluster_voter voter; /* whose servers and timeout are the status's, too */
    uint32_t voter_words;       /* of "voter": add or remove, the node, its listener */
};

static int take_number(const char *text, int64_t most, int64_t *ret_number)
{
    return parse_int64(span_text(text), ret_number) == 0 && *ret_number >= 1 && *ret_number <= most
               ? 0
               : -1;
}

static int take_option(const struct cmd *cmd, struct cluster_run *run, int place, const char *value)
{
    int64_t number = 0;
    run->given |= 1u << place;
    if (place == OPTION_JSON || place == OPTION_ALL)
        return EXIT_CODE_DONE;
    if (place == OPTION_SERVER) {
        run->voter.servers = value;
        return EXIT_CODE_DONE;
    }
    if (place == OPTION_DIRECTORY) {
        run->voter.has_directory = true;
        return uuid_parse(span_text(value), &run->voter.directory) == 0
                   ? EXIT_CODE_DONE
                   : options_mistake(cmd, "--directory %s is no id of a folder", value);
    }
    if (take_number(value, place == OPTION_TIMEOUT ? INT_MAX : UINT16_MAX, &number) != 0)
        return options_mistake(cmd, "--%s %s is no %s", rows[place].name, value,
                               place == OPTION_TIMEOUT ? "number of milliseconds" : "port");
    if (place == OPTION_TIMEOUT)
        run->voter.timeout_ms = (int)number;
    else if (place == OPTION_PORT)
        run->folder.port = (uint16_t)number;
    else
        run->folder.peers_port = (uint16_t)number;
    return EXIT_CODE_DONE;
}

static int take_action(const struct cmd *cmd, struct cluster_run *run, const char *name)
{
    struct nearest nearest;
    nearest_start(&nearest, span_text(name));
    for (int i = 0; i < ACTIONS; i++) {
        nearest_consider(&nearest, action_names[i]);
        if (strcmp(action_names[i], name) == 0)
            run->action = (enum action)i;
    }
    if (run->action != ACTIONS)
        return EXIT_CODE_DONE;
    if (nearest.name != NULL)
        return options_mistake(cmd, "there is no \"%s\"; did you mean \"%s\"?", name, nearest.name);
    return options_mistake(cmd, "there is no \"%s\"; there are try, status and voter", name);
}

/* Of "voter": what to do, with which node, and where it listens. */
static int take_voter(const struct cmd *cmd, struct cluster_run *run, const char *value)
{
    int64_t number;
    const char *wrong;
    switch (run->voter_words++) {
    case 0:
        run->voter.adds = strcmp(value, "add") == 0;
        return run->voter.adds || strcmp(value, "remove") == 0
                   ? EXIT_CODE_DONE
                   : options_mistake(cmd, "voter: there is no \"%s\"; there are add and remove",
                                     value);
    case 1:
        if (parse_int64(span_text(value), &number) != 0 || number < 0 || number > INT32_MAX)
            return options_mistake(cmd, "%s is no id of a node", value);
        run->voter.id = (int32_t)number;
        return EXIT_CODE_DONE;
    case 2:
        if (!run->voter.adds)
            break;
        wrong = strstr(value, "://") == NULL
                    ? endpoint_read_address(span_text(value), "is not of the form host:port",
                                            &run->voter.listener)
                    : endpoint_read(span_text(value), &run->voter.listener);
        return wrong == NULL ? EXIT_CODE_DONE : options_mistake(cmd, "%s %s", value, wrong);
    default:
        break;
    }
    return options_mistake(cmd, "voter takes no more words: %s", value);
}

/* Of "try": how many nodes, if it is a number, then the folder. */
static int take_argument(const struct cmd *cmd, struct cluster_run *run, const char *value)
{
    int64_t number;
    if (run->action == ACTIONS)
        return take_action(cmd, run, value);
    if (run->action == ACTION_VOTER)
        return take_voter(cmd, run, value);
    if (run->action != ACTION_TRY)
        return options_mistake(cmd, "%s takes no more words: %s", action_names[run->action], value);
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

/* There is something to do, and every option is for that. */
static int check(const struct cmd *cmd, const struct cluster_run *run)
{
    if (run->action == ACTIONS)
        return options_mistake(cmd, "say what to do: try, status or voter");
    for (int i = 0; i < OPTIONS; i++) {
        if ((run->given & 1u << i) != 0 && (option_uses[i] & 1u << run->action) == 0)
            return options_mistake(cmd, "--%s is not for %s", rows[i].name,
                                   action_names[run->action]);
    }
    if (run->action == ACTION_VOTER && run->voter_words < (run->voter.adds ? 3 : 2))
        return options_mistake(cmd, "voter needs add ID HOST:PORT, or remove ID");
    return EXIT_CODE_DONE;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct cluster_run run = {
        .action = ACTIONS,
        .voter = {.servers = SERVERS_DEFAULT, .timeout_ms = TIMEOUT_MS_DEFAULT},
    };
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
    if (code == EXIT_CODE_DONE)
        code = check(cmd, &run);
    if (code != EXIT_CODE_DONE)
        return code;
    if (run.action == ACTION_STATUS) {
        const struct cluster_status status = {
            .servers = run.voter.servers,
            .timeout_ms = run.voter.timeout_ms,
            .json = (run.given & 1u << OPTION_JSON) != 0,
            .shows_all = (run.given & 1u << OPTION_ALL) != 0,
        };
        return cluster_status(cmd, &status);
    }
    if (run.action == ACTION_VOTER)
        return cluster_voter(cmd, &run.voter);
    if (run.folder.path == NULL)
        run.folder.path = FOLDER_DEFAULT;
    code = cluster_folder_open(&run.folder, cmd);
    return code == EXIT_CODE_DONE ? cluster_try(&run.folder, cmd) : code;
}

const struct cmd cmd_cluster = {
    .program = "chronik",
    .name = "cluster",
    .arguments = "try [N] [FOLDER] [OPTION]...\n"
                 "       chronik cluster status [OPTION]...\n"
                 "       chronik cluster voter add ID [NAME://]HOST:PORT [OPTION]...\n"
                 "       chronik cluster voter remove ID [OPTION]...",
    .summary = "try a cluster on this host, ask one how it is, change its voters",
    .help =
        "try runs a cluster of N brokers (3 without a number) on this host, each a process of its "
        "own\n"
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
        "is shown, and see.\n"
        "\n"
        "status asks a broker of any cluster, Kafka's too, and shows who is there, who is the\n"
        "controller, what each broker does, how far the nodes are that keep the metadata, and\n"
        "which partitions lack a leader or a replica in sync, and why. Each broker of a cluster "
        "of\n"
        "ours is asked, too, how many records those who follow it lack and for how long, and how\n"
        "its replication streams to the others are: when it last heard of each, how many bytes\n"
        "were sent there and not acknowledged, and how many partitions are not live there, but\n"
        "catch up.\n"
        "\n"
        "voter changes which nodes keep the metadata: a node that follows it, and listens there\n"
        "for other nodes, becomes one of those that vote, or one of these does so no more. A node\n"
        "whose disk was replaced is another one than before: its old self is removed, and then it\n"
        "is added.",
    .examples = "chronik cluster try\n"
                "    Three brokers at 127.0.0.1:9092, 9093 and 9094, in chronik-cluster.\n"
                "chronik cluster try 5 /tmp/five --port 29092\n"
                "    Five of them, elsewhere.\n"
                "chronik cluster status --bootstrap-server 127.0.0.1:9093\n"
                "    Is everything as it should be?\n"
                "chronik cluster status --json | jq '.leaderless'\n"
                "    What nobody serves.\n"
                "chronik cluster voter remove 3 && chronik cluster voter add 3 broker3:9093\n"
                "    Node 3 has a new disk, was formatted and started.\n"
                "kcat -b 127.0.0.1:9092,127.0.0.1:9093 -L\n"
                "    What a client sees of it.",
    .options = rows,
    .run = run,
};
