/* SPDX-License-Identifier: Apache-2.0 */
/* chronik broker: runs a broker until it is told to end. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "cli/cmd.h"
#include "cli/codec.h"
#include "cli/folders.h"
#include "cli/logger.h"
#include "cli/loop.h"
#include "cli/metrics_server.h"
#include "cli/notify.h"
#include "cli/options.h"
#include "cli/recorder.h"
#include "cli/settings.h"
#include "core/base/format.h"
#include "core/broker.h"

/* Free memory that is kept for the next requests. */
#define HEAP_KEPT_BYTES (16 * 1024 * 1024)

static int run(const struct cmd *cmd, int argc, char **argv);

static const struct option rows[] = {
    {"set", "KEY=VALUE",
     "Sets one configuration key, over what the file says; may be given many times."},
    {NULL, NULL, NULL},
};

const struct cmd cmd_broker = {
    .program = "chronik",
    .name = "broker",
    .arguments = "[FILE.properties] [--set KEY=VALUE]...",
    .summary = "run a broker",
    .help =
        "Runs a broker until SIGINT, SIGTERM or SIGHUP, which end it in order; a second one\n"
        "ends it at once. The file has the syntax and the keys of Kafka's server.properties.\n"
        "Without one, the broker is a node of its own that listens on 127.0.0.1:9092 and keeps\n"
        "its data in the folder chronik-data, which is made when it is missing; topics are\n"
        "created on first use.\n"
        "\n"
        "When every listener serves, one line is written to standard output:\n"
        "\n"
        "  chronik ready: PLAINTEXT://127.0.0.1:9092\n"
        "\n"
        "with the listeners as they are, comma-separated: port 0 in the configuration is the\n"
        "port that was free. The log goes to standard error. A service manager is told by the\n"
        "protocol of sd_notify.\n"
        "\n"
        "chronik.properties(5) lists the configuration keys.",
    .examples = "chronik broker\n"
                "    for a first try: then \"kcat -b 127.0.0.1:9092 -L\"\n"
                "chronik broker server.properties\n"
                "    with the settings of a Kafka broker\n"
                "chronik broker --set listeners=PLAINTEXT://127.0.0.1:0 --set log.dirs=/tmp/data\n"
                "    for tests: on any free port, with data elsewhere",
    .options = rows,
    .run = run,
};

/* Reads the command line into `settings`. Returns false with the exit code. */
static bool settings_read(struct settings *settings, const struct cmd *cmd, int argc, char **argv,
                          int *ret_exit_code)
{
    const char *sets[SETTINGS_OPTIONS_MAX];
    uint32_t sets_count = 0;
    const char *path = NULL;
    struct options parser;
    const char *value;
    int found;
    options_start(&parser, cmd, argc, argv);
    while ((found = options_next(&parser, &value)) != OPTIONS_END) {
        if (found == OPTIONS_EXIT) {
            *ret_exit_code = parser.exit_code;
            return false;
        }
        const bool is_file = found == OPTIONS_ARGUMENT;
        if (is_file ? path != NULL : sets_count == SETTINGS_OPTIONS_MAX) {
            *ret_exit_code = is_file ? options_mistake(cmd, "more than one file: %s", value)
                                     : options_mistake(cmd, "too many --set; use a file");
            return false;
        }
        if (is_file)
            path = value;
        else
            sets[sets_count++] = value;
    }
    if (path != NULL)
        settings_file(settings, path);
    for (uint32_t i = 0; i < sets_count; i++)
        settings_option(settings, sets[i]);
    *ret_exit_code = EXIT_CODE_FAILED;
    return settings_check(settings) == 0;
}

static void print_ready(void *context, const struct loop *loop)
{
    const struct conf *conf = context;
    printf("chronik ready:");
    for (uint32_t i = 0; i < conf->listeners_count; i++) {
        const struct conf_listener *listener = &conf->listeners[i];
        const bool is_ipv6 = listener->host.length > 0 &&
                             memchr(listener->host.data, ':', listener->host.length) != NULL;
        printf("%c%.*s://%s%.*s%s:%u", i == 0 ? ' ' : ',', SPAN_ARGS(listener->name),
               is_ipv6 ? "[" : "", SPAN_ARGS(listener->host), is_ipv6 ? "]" : "",
               loop_port(loop, i));
    }
    printf("\n");
    fflush(stdout);
    notify_send("READY=1");
}

/* What the loop steps: the broker, through the flight record if there is one. */
struct server {
    struct broker *broker;
    struct recorder *recorder; /* NULL: none */
};

static void step_broker(void *core, const struct event *event, struct effects *effects)
{
    broker_step(core, event, effects);
}

static void step(void *core, const struct event *event, struct effects *effects)
{
    const struct server *server = core;
    if (event->kind == EVENT_STOP)
        notify_send("STOPPING=1");
    if (server->recorder != NULL)
        recorder_step(server->recorder, event, effects);
    else
        broker_step(server->broker, event, effects);
}

/* Requests come and go in blocks of a few hundred KiB: given back to the system each time, their
 * pages would be made anew for each request. And what the disk's threads allocate is no reason for
 * a heap of their own. */
static void heap_tune(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, HEAP_KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
}

/* Starts the flight record, when one is asked for. Returns false after saying why there cannot be
 * one. The data folders are ours by then, so that the record is no other broker's. */
static bool record(struct server *server, const struct conf *conf, const struct logger *logger)
{
    const struct span path = conf_text(conf, CONF_CHRONIK_RECORD_FILE);
    if (path.length == 0)
        return true;
    const struct recorder_options options = {
        .path = path,
        .bytes_max = (uint64_t)conf_int(conf, CONF_CHRONIK_RECORD_BYTES_MAX),
        .conf = conf,
        .logger = logger,
        .step = step_broker,
        .core = server->broker,
    };
    server->recorder = recorder_new(&options);
    if (server->recorder == NULL)
        fprintf(stderr, "chronik broker: chronik.record.file=%.*s: %s\n", SPAN_ARGS(path),
                strerror(errno));
    return server->recorder != NULL;
}

/* Serves metrics, when they are asked for. Returns false after saying why they cannot be. */
static bool serve_metrics(const struct server *server, struct loop *loop, const struct conf *conf,
                          const struct logger *logger, struct metrics_server **ret_metrics)
{
    const struct metrics_server_options options = {
        .listener = conf_text(conf, CONF_CHRONIK_METRICS_LISTENER),
        .broker = server->broker,
        .logger = logger,
        .loop = loop,
    };
    const char *reason;
    if (options.listener.length == 0)
        return true;
    *ret_metrics = metrics_server_new(&options, &reason);
    if (*ret_metrics == NULL)
        fprintf(stderr, "chronik broker: chronik.metrics.listener=%.*s: %s\n",
                SPAN_ARGS(options.listener), reason);
    return *ret_metrics != NULL;
}

static int serve(struct conf *conf)
{
    heap_tune();
    struct logger logger;
    logger_init(&logger, STDERR_FILENO, conf_text(conf, CONF_CHRONIK_LOG_LEVEL));
    struct codec_libraries libraries;
    codec_libraries_init(&libraries);
    const struct codecs codecs = codec_libraries_lend(&libraries);
    const struct broker_options broker_options = {
        .allocator = allocator_process(),
        .conf = conf,
        .codecs = &codecs,
    };
    struct server server = {.broker = broker_new(&broker_options)};
    const struct loop_options loop_options = {
        .step = step,
        .core = &server,
        .memory = broker_memory(server.broker),
        .send_buffer_bytes = (int)conf_int(conf, CONF_SOCKET_SEND_BUFFER_BYTES),
        .logger = &logger,
        .ready = print_ready,
        .context = conf,
    };
    int exit_code = EXIT_CODE_FAILED;
    struct metrics_server *metrics = NULL;
    struct loop *loop = loop_new(&loop_options);
    if (loop == NULL)
        fprintf(stderr, "chronik broker: %s\n", strerror(errno));
    else if (folders_add(loop, conf, &cmd_broker) && record(&server, conf, &logger) &&
             serve_metrics(&server, loop, conf, &logger, &metrics) && loop_run(loop))
        exit_code = EXIT_CODE_DONE;
    loop_free(loop);
    metrics_server_free(metrics);
    recorder_free(server.recorder);
    broker_free(server.broker);
    codec_libraries_close(&libraries);
    return exit_code;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct memory memory;
    struct settings settings;
    int exit_code;
    memory_init(&memory, allocator_process());
    settings_init(&settings, &memory, stderr);
    if (settings_read(&settings, cmd, argc, argv, &exit_code))
        exit_code = serve(&settings.conf);
    settings_free(&settings);
    return exit_code;
}
