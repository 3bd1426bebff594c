/* SPDX-License-Identifier: Apache-2.0 */
/* chronik bench: load for any broker that speaks Kafka's protocol, and what it costs. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_plan.h"
#include "cli/bench_print.h"
#include "cli/bench_request.h"
#include "cli/bench_run.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "core/base/format.h"
#include "core/base/nearest.h"

#define CONNECTIONS_MAX 10000
#define DEPTH_MAX       1024
#define BATCH_BYTES_MAX (64 << 20)
#define FETCH_BYTES_MAX (64 << 20)
#define RATE_MAX        10000000
#define SECONDS_MAX     86400
#define PARTITIONS_MAX  100000

enum option_place {
    OPTION_SERVER,
    OPTION_TOPIC,
    OPTION_CREATE,
    OPTION_CONNECTIONS,
    OPTION_DEPTH,
    OPTION_BATCH,
    OPTION_RECORD,
    OPTION_ACKS,
    OPTION_FETCH,
    OPTION_RATE,
    OPTION_SPREAD,
    OPTION_APART,
    OPTION_SECONDS,
    OPTION_WARM_UP,
    OPTION_PID,
    OPTION_JSON,
    OPTION_TIMEOUT,
    OPTIONS
};

static const struct option rows[] = {
    [OPTION_SERVER] = {"bootstrap-server", "HOST:PORT",
                       "A broker, or several with commas between, of which the first that answers\n"
                       "is asked who leads what. Default: 127.0.0.1:9092."},
    [OPTION_TOPIC] = {"topic", "NAME", "What to work on. Default: bench."},
    [OPTION_CREATE] = {"create", "PARTITIONS:REPLICAS",
                       "Makes the topic first, if it is not there."},
    [OPTION_CONNECTIONS] = {"connections", "N",
                            "Connections. The first is for the first partition, and so on, and\n"
                            "around again. Default: 4."},
    [OPTION_DEPTH] = {"depth", "N", "Requests on the way on each connection. Default: 4."},
    [OPTION_BATCH] = {"batch-bytes", "N",
                      "produce, tail: bytes of the values in a batch, of which each request\n"
                      "carries one. Default: 16384."},
    [OPTION_RECORD] = {"record-bytes", "N", "produce, tail: bytes of a value. Default: 1024."},
    [OPTION_ACKS] = {"acks", "all|1",
                     "produce, tail: who has to have a batch before it is acknowledged. Default:\n"
                     "all."},
    [OPTION_FETCH] = {"fetch-bytes", "N",
                      "fetch, tail: the most that a reply carries. Default:\n"
                      "1048576."},
    [OPTION_RATE] = {"rate", "N",
                     "Requests a second, over all connections, begun by the clock. Default: a\n"
                     "request begins when another one was answered."},
    [OPTION_SPREAD] = {"spread", NULL,
                       "produce: each connection sends to all partitions of its broker in turn."},
    [OPTION_APART] = {"apart", NULL,
                      "Sends each request by itself, as clients do that make them one by one, so\n"
                      "that the broker is woken more often. Else those of a connection that begin\n"
                      "together are sent together."},
    [OPTION_SECONDS] = {"seconds", "N", "How long to count. Default: 10."},
    [OPTION_WARM_UP] = {"warm-up", "N", "How many seconds to run before that. Default: 1."},
    [OPTION_PID] = {"pid", "N",
                    "A broker's process, whose use of processors is counted. May be given again."},
    [OPTION_JSON] = {"json", NULL, "One line of JSON; times in microseconds."},
    [OPTION_TIMEOUT] = {"timeout", "MS",
                        "How long to wait for an answer, in milliseconds. Default: 10000."},
    {NULL, NULL, NULL},
};

/* What each option that is not for all is for, as bits; 0: for all. */
static const unsigned option_uses[OPTIONS] = {
    [OPTION_CREATE] = 1u << BENCH_PRODUCE | 1u << BENCH_TAIL,
    [OPTION_BATCH] = 1u << BENCH_PRODUCE | 1u << BENCH_TAIL,
    [OPTION_RECORD] = 1u << BENCH_PRODUCE | 1u << BENCH_TAIL,
    [OPTION_ACKS] = 1u << BENCH_PRODUCE | 1u << BENCH_TAIL,
    [OPTION_FETCH] = 1u << BENCH_FETCH | 1u << BENCH_TAIL,
    [OPTION_SPREAD] = 1u << BENCH_PRODUCE,
};

static int read_number(struct span text, int64_t least, int64_t most, int64_t *ret_number)
{
    int64_t number;
    if (parse_int64(text, &number) != 0 || number < least || number > most)
        return -1;
    *ret_number = number;
    return 0;
}

static int take_create(const struct cmd *cmd, struct bench_plan *plan, const char *value)
{
    int64_t partitions;
    int64_t replicas;
    const char *colon = strchr(value, ':');
    if (colon == NULL ||
        read_number(span_of(value, (size_t)(colon - value)), 1, PARTITIONS_MAX, &partitions) != 0 ||
        read_number(span_text(colon + 1), 1, INT16_MAX, &replicas) != 0)
        return options_mistake(cmd, "--create %s is not of the form PARTITIONS:REPLICAS, as 3:1",
                               value);
    plan->create_partitions = (int32_t)partitions;
    plan->create_replicas = (int16_t)replicas;
    return EXIT_CODE_DONE;
}

/* An option with a number, and its limits. */
static int take_number(const struct cmd *cmd, struct bench_plan *plan, int place, const char *value)
{
    static const struct {
        int64_t least;
        int64_t most;
    } limits[OPTIONS] = {
        [OPTION_CONNECTIONS] = {1, CONNECTIONS_MAX},
        [OPTION_DEPTH] = {1, DEPTH_MAX},
        [OPTION_BATCH] = {1, BATCH_BYTES_MAX},
        [OPTION_RECORD] = {1, BATCH_BYTES_MAX},
        [OPTION_FETCH] = {1, FETCH_BYTES_MAX},
        [OPTION_RATE] = {1, RATE_MAX},
        [OPTION_SECONDS] = {1, SECONDS_MAX},
        [OPTION_WARM_UP] = {0, SECONDS_MAX},
        [OPTION_PID] = {1, INT_MAX},
        [OPTION_TIMEOUT] = {1, INT_MAX},
    };
    uint32_t *const numbers[OPTIONS] = {
        [OPTION_CONNECTIONS] = &plan->connections, [OPTION_DEPTH] = &plan->depth,
        [OPTION_BATCH] = &plan->batch_bytes,       [OPTION_RECORD] = &plan->record_bytes,
        [OPTION_FETCH] = &plan->fetch_bytes,       [OPTION_RATE] = &plan->rate,
        [OPTION_SECONDS] = &plan->seconds,         [OPTION_WARM_UP] = &plan->warm_up_seconds,
    };
    int64_t number;
    if (read_number(span_text(value), limits[place].least, limits[place].most, &number) != 0)
        return options_mistake(cmd, "--%s %s is not a number from %lld to %lld", rows[place].name,
                               value, (long long)limits[place].least,
                               (long long)limits[place].most);
    if (numbers[place] != NULL)
        *numbers[place] = (uint32_t)number;
    else if (place == OPTION_TIMEOUT)
        plan->timeout_ms = (int)number;
    else if (plan->pids_count == BENCH_PIDS_MAX)
        return options_mistake(cmd, "more than %d times --pid", BENCH_PIDS_MAX);
    else
        plan->pids[plan->pids_count++] = (pid_t)number;
    return EXIT_CODE_DONE;
}

static int take_option(const struct cmd *cmd, struct bench_plan *plan, int place, const char *value)
{
    switch ((enum option_place)place) {
    case OPTION_SERVER:
        plan->servers = value;
        return EXIT_CODE_DONE;
    case OPTION_TOPIC:
        plan->topic = value;
        return EXIT_CODE_DONE;
    case OPTION_CREATE:
        return take_create(cmd, plan, value);
    case OPTION_SPREAD:
        plan->spread = true;
        return EXIT_CODE_DONE;
    case OPTION_APART:
        plan->apart = true;
        return EXIT_CODE_DONE;
    case OPTION_JSON:
        plan->json = true;
        return EXIT_CODE_DONE;
    case OPTION_ACKS:
        plan->acks = strcmp(value, "1") == 0 ? 1 : -1;
        if (plan->acks == -1 && strcmp(value, "all") != 0 && strcmp(value, "-1") != 0)
            return options_mistake(cmd, "--acks %s is neither all nor 1%s", value,
                                   strcmp(value, "0") == 0 ? "; 0 has no replies to count" : "");
        return EXIT_CODE_DONE;
    default:
        return take_number(cmd, plan, place, value);
    }
}

static int take_arm(const struct cmd *cmd, struct bench_plan *plan, const char *name)
{
    struct nearest nearest;
    if (plan->arm != BENCH_ARMS)
        return options_mistake(cmd, "%s takes no more words: %s", bench_arm_names[plan->arm], name);
    nearest_start(&nearest, span_text(name));
    for (int i = 0; i < BENCH_ARMS; i++) {
        nearest_consider(&nearest, bench_arm_names[i]);
        if (strcmp(bench_arm_names[i], name) == 0)
            plan->arm = (enum bench_arm)i;
    }
    if (plan->arm != BENCH_ARMS)
        return EXIT_CODE_DONE;
    if (nearest.name != NULL)
        return options_mistake(cmd, "there is no \"%s\"; did you mean \"%s\"?", name, nearest.name);
    return options_mistake(cmd, "there is no \"%s\"; there are produce, fetch and tail", name);
}

/* What options are worth together. */
static int check(const struct cmd *cmd, const struct bench_plan *plan, uint32_t given)
{
    if (plan->arm == BENCH_ARMS)
        return options_mistake(cmd, "say what to do: produce, fetch or tail");
    for (int i = 0; i < OPTIONS; i++) {
        if ((given & 1u << i) != 0 && option_uses[i] != 0 &&
            (option_uses[i] & 1u << plan->arm) == 0)
            return options_mistake(cmd, "--%s is not for %s", rows[i].name,
                                   bench_arm_names[plan->arm]);
    }
    if (plan->arm == BENCH_FETCH)
        return EXIT_CODE_DONE;
    if (plan->record_bytes > plan->batch_bytes)
        return options_mistake(cmd, "a batch of --batch-bytes %u has no room for --record-bytes %u",
                               plan->batch_bytes, plan->record_bytes);
    if (plan->arm == BENCH_TAIL && plan->record_bytes < BENCH_STAMP_BYTES)
        return options_mistake(cmd, "tail writes its time into records of at least %d bytes",
                               BENCH_STAMP_BYTES);
    if (plan->arm == BENCH_TAIL &&
        (int64_t)plan->connections * plan->depth * plan->batch_bytes > BENCH_FRAMES_BYTES_MAX)
        return options_mistake(cmd, "so many requests of that size do not fit into memory");
    return EXIT_CODE_DONE;
}

/* Reads the command line into the plan. Returns true when there is something to run, else
 * *ret_code. */
static bool read_command_line(const struct cmd *cmd, int argc, char **argv, struct bench_plan *plan,
                              int *ret_code)
{
    struct options options;
    const char *value = NULL;
    uint32_t given = 0;
    int code = EXIT_CODE_DONE;
    int place;
    options_start(&options, cmd, argc, argv);
    while (code == EXIT_CODE_DONE && (place = options_next(&options, &value)) != OPTIONS_END) {
        if (place == OPTIONS_EXIT) {
            *ret_code = options.exit_code;
            return false;
        }
        if (place >= 0)
            given |= 1u << place;
        code = place < 0 ? take_arm(cmd, plan, value) : take_option(cmd, plan, place, value);
    }
    *ret_code = code == EXIT_CODE_DONE ? check(cmd, plan, given) : code;
    return *ret_code == EXIT_CODE_DONE;
}

static int run_bench(const struct cmd *cmd, int argc, char **argv)
{
    struct bench_plan plan = {
        .arm = BENCH_ARMS,
        .servers = "127.0.0.1:9092",
        .topic = "bench",
        .connections = 4,
        .depth = 4,
        .batch_bytes = 16384,
        .record_bytes = 1024,
        .fetch_bytes = 1 << 20,
        .acks = -1,
        .seconds = 10,
        .warm_up_seconds = 1,
        .timeout_ms = 10000,
    };
    int code;
    if (!read_command_line(cmd, argc, argv, &plan, &code))
        return code;
    struct bench_result *result = calloc(1, sizeof(*result));
    if (result == NULL) {
        fprintf(stderr, "chronik bench: out of memory\n");
        return EXIT_CODE_FAILED;
    }
    if (bench_run(&plan, result) == 0) {
        bench_print(stdout, &plan, result);
        code = result->requests > 0 && result->errors == 0 && result->lost == 0 &&
                       result->unanswered == 0
                   ? EXIT_CODE_DONE
                   : EXIT_CODE_FAILED;
    } else {
        fprintf(stderr, "chronik bench: %s\n", result->message);
        code = EXIT_CODE_FAILED;
    }
    free(result);
    return code;
}

const struct cmd cmd_bench = {
    .program = "chronik",
    .name = "bench",
    .arguments = "produce|fetch|tail [OPTION]...",
    .summary = "put load on a broker, and tell what it takes",
    .help =
        "Works with any broker that speaks Kafka's protocol, and asks it who leads each partition\n"
        "of a topic. The requests are made beforehand and sent again and again by one thread, so\n"
        "that it is the broker that is measured.\n"
        "\n"
        "produce writes batches of records whose bytes are chance. fetch reads what is in the\n"
        "topic, around again at its end; each request on the way is a reader of its own. tail\n"
        "writes, and has a reader for each partition that waits for what is written; it tells the\n"
        "time from the moment at which a batch was due to that at which the reader had it, too.\n"
        "\n"
        "Without --rate a request begins when another one was answered, which shows how much a\n"
        "broker can do. With it requests begin by the clock, whether or not earlier ones were\n"
        "answered, and a request waits from the moment at which it was due: that shows what the\n"
        "users of a broker see whose load does not wait for it. Give it places enough with\n"
        "--depth.\n"
        "\n"
        "With --pid it tells what processors did for these processes per request and per GB,\n"
        "which on a machine that others use repeats better than time does. The replies are\n"
        "counted, and one with an error is an error: it is shown, and makes the exit code 1.",
    .examples = "chronik bench produce --create 3:3 --connections 3\n"
                "    How much a cluster takes, each broker of three by one connection.\n"
                "chronik bench produce --rate 2000 --batch-bytes 1024 --depth 64\n"
                "    How long 2,000 producers a second wait.\n"
                "chronik bench tail --rate 1000 --batch-bytes 100 --record-bytes 100 --depth 64\n"
                "    How long records take from a producer to a consumer.\n"
                "chronik bench fetch --seconds 5 --pid $(pidof chronik) --json | jq .cpu_s_per_gb\n"
                "    What reading costs.",
    .options = rows,
    .run = run_bench,
};
