/* SPDX-License-Identifier: Apache-2.0 */
/* chronik broker: runs a broker until it is told to end. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "cli/cmd.h"
#include "cli/codec.h"
#include "cli/logger.h"
#include "cli/loop.h"
#include "cli/notify.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "core/base/format.h"
#include "core/broker.h"

#define REASON_BYTES 512

enum option_place { OPTION_SET };

static const struct option options_of_broker[] = {
    [OPTION_SET] = {"set", "KEY=VALUE",
                    "Sets one key; counts more than the file. May be given again."},
    {NULL, NULL, NULL},
};

/* What the whole process consists of. */
struct process {
    struct memory memory; /* of settings and of the loop's list of effects */
    struct settings settings;
    struct codec_libraries libraries;
    struct codecs codecs;
    struct logger logger;
    struct broker *broker;
    struct loop *loop;
};

static void step(void *core, const struct event *event, struct effects *effects)
{
    broker_step(core, event, effects);
}

/* One line for whoever started us: where clients connect. Tests read the port from it. */
static void ready(void *context, const struct loop *loop)
{
    const struct process *process = context;
    const struct conf *conf = &process->settings.conf;
    printf("chronik ready:");
    for (uint32_t i = 0; i < conf->listeners_count; i++) {
        const struct conf_listener *listener = &conf->listeners[i];
        const bool v6 = memchr(listener->host.data, ':', listener->host.length) != NULL;
        printf(" %.*s://%s%.*s%s:%d", SPAN_ARGS(listener->name), v6 ? "[" : "",
               SPAN_ARGS(listener->host), v6 ? "]" : "", loop_port(loop, i));
    }
    printf("\n");
    fflush(stdout);
    notify_send("READY=1");
}

static int add_folders(struct process *process)
{
    const struct conf *conf = &process->settings.conf;
    for (uint32_t i = 0; i < conf->folders_count; i++) {
        char path[PATH_MAX];
        char reason[REASON_BYTES];
        if ((size_t)snprintf(path, sizeof(path), "%.*s", SPAN_ARGS(conf->folders[i])) >=
            sizeof(path)) {
            fprintf(stderr, "chronik: log.dirs: a path is longer than %d bytes\n", PATH_MAX - 1);
            return -1;
        }
        if (disk_add_folder(loop_disk(process->loop), path, reason, sizeof(reason)) != 0) {
            fprintf(stderr, "chronik: %s\n", reason);
            return -1;
        }
    }
    return 0;
}

/* Builds the broker and carries it until it has ended. Returns an exit code. */
static int serve(struct process *process)
{
    const struct conf *conf = &process->settings.conf;
    logger_init(&process->logger, STDERR_FILENO, conf_text(conf, CONF_CHRONIK_LOG_LEVEL));
    codec_libraries_init(&process->libraries);
    process->codecs = codec_libraries_lend(&process->libraries);
    const struct broker_options broker_options = {
        .allocator = allocator_process(), .conf = conf, .codecs = &process->codecs};
    process->broker = broker_new(&broker_options);
    const struct loop_options loop_options = {
        .step = step,
        .core = process->broker,
        .memory = broker_memory(process->broker),
        .logger = &process->logger,
        .ready = ready,
        .context = process,
    };
    process->loop = loop_new(&loop_options);
    if (process->loop == NULL) {
        fprintf(stderr, "chronik: cannot start: %s\n", strerror(errno));
        return EXIT_CODE_FAILED;
    }
    if (add_folders(process) != 0)
        return EXIT_CODE_FAILED;
    return loop_run(process->loop) ? EXIT_CODE_DONE : EXIT_CODE_FAILED;
}

/* Reads the command line. False: *ret_code says how it ended. */
static bool read_settings(const struct cmd *cmd, int argc, char **argv, struct settings *settings,
                          int *ret_code)
{
    const char *sets[SETTINGS_OPTIONS_MAX];
    uint32_t sets_count = 0;
    const char *file = NULL;
    const char *value;
    struct options options;
    options_start(&options, cmd, argc, argv);
    for (int place; (place = options_next(&options, &value)) != OPTIONS_END;) {
        *ret_code = EXIT_CODE_USAGE;
        if (place == OPTIONS_EXIT) {
            *ret_code = options.exit_code;
            return false;
        }
        if (place == OPTIONS_ARGUMENT && file != NULL) {
            *ret_code = options_mistake(cmd, "only one file of settings is read");
            return false;
        }
        if (place == OPTION_SET && sets_count == SETTINGS_OPTIONS_MAX) {
            *ret_code = options_mistake(cmd, "more than %d times --set", SETTINGS_OPTIONS_MAX);
            return false;
        }
        if (place == OPTION_SET)
            sets[sets_count++] = value;
        else
            file = value;
    }
    if (file != NULL)
        settings_file(settings, file);
    for (uint32_t i = 0; i < sets_count; i++)
        settings_option(settings, sets[i]);
    *ret_code = EXIT_CODE_FAILED;
    return settings_check(settings) == 0;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    static struct process process;
    int code;
    memory_init(&process.memory, allocator_process());
    settings_init(&process.settings, &process.memory, stderr);
    if (read_settings(cmd, argc, argv, &process.settings, &code))
        code = serve(&process);
    broker_free(process.broker);
    loop_free(process.loop);
    codec_libraries_close(&process.libraries);
    settings_free(&process.settings);
    return code;
}

const struct cmd cmd_broker = {
    .name = "broker",
    .arguments = "[FILE.properties] [--set KEY=VALUE]...",
    .summary = "Run a broker",
    .help =
        "Runs a broker until SIGTERM or Ctrl-C. Without a file it is a single node that listens\n"
        "on 127.0.0.1:9092, keeps its data in the folder chronik-data, which it formats on first\n"
        "use, and creates topics on first use.\n"
        "\n"
        "The file has the syntax and the keys of Kafka's server.properties; the manual page\n"
        "chronik.properties(5) lists them. When every listener serves, one line on standard\n"
        "output says where:\n"
        "\n"
        "    chronik ready: PLAINTEXT://127.0.0.1:9092\n",
    .examples = "  chronik broker\n"
                "      a broker on 127.0.0.1:9092\n"
                "  chronik broker --set listeners=PLAINTEXT://127.0.0.1:0 --set log.dir=/tmp/data\n"
                "      a broker for a test, on any free port\n"
                "  chronik broker /etc/chronik/server.properties\n"
                "      a broker with the settings of a file\n",
    .options = options_of_broker,
    .run = run,
};
