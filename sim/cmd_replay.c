/* SPDX-License-Identifier: Apache-2.0 */
/* chronik sim replay: does again what was recorded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/codec.h"
#include "cli/options.h"
#include "core/base/format.h"
#include "sim/cmd.h"
#include "sim/replay.h"
#include "sim/replay_run.h"
#include "sim/trace.h"

static int run(const struct cmd *cmd, int argc, char **argv);

enum { OPTION_ALL, OPTION_TRACE };

static const struct option rows[] = {
    [OPTION_ALL] = {"all", NULL, "Goes on after a difference, and names every event that differs."},
    [OPTION_TRACE] = {"trace", "FILE.db",
                      "Writes all that happened to a SQLite file, for \"show\", \"why\" and SQL."},
    {NULL, NULL, NULL},
};

const struct cmd cmd_replay = {
    .program = "chronik sim",
    .name = "replay",
    .arguments = "[--all] [--trace FILE.db] FILE",
    .summary = "do again what a broker did, from its record or from a trace",
    .help =
        "Reads a flight record, which a broker with chronik.record.file=FILE keeps of all that\n"
        "enters its core, and steps a core through it. After each event the core has to have\n"
        "asked for exactly what it asked for then: the digests are compared, and the first\n"
        "event that ends differently is named. The same build finds no difference; another\n"
        "one finds where it began to act differently.\n"
        "\n"
        "A record that breaks off, because the process was killed, is replayed as far as it\n"
        "goes. No data folder is needed, and none is written.\n"
        "\n"
        "Of a trace that \"chronik sim run --trace FILE\" wrote, the scenario is run again with\n"
        "its seed, and every step is compared: the same build, or one of another compiler, gives\n"
        "the same digests.\n"
        "\n"
        "The exit status is 0 when all was the same, 1 when it was not, and 2 when the file is\n"
        "no whole record.",
    .examples = "chronik sim replay broker.record\n"
                "    the record of one run of a broker\n"
                "chronik sim replay --all broker.record\n"
                "    with a build that logs other texts, say: where else does it differ?\n"
                "chronik sim replay --trace run.db broker.record\n"
                "    then \"chronik sim why run.db NUMBER\" tells what led to something",
    .options = rows,
    .run = run,
};

static const char *const endings[TRACE_ENDINGS] = {
    [TRACE_ENDING_NONE] = "the record breaks off",
    [TRACE_ENDING_STOPPED] = "the broker stopped",
    [TRACE_ENDING_LIMIT] = "the record reached its limit",
};

/* The bytes of a file, mapped. Returns false after saying why not. */
static bool map_file(const char *path, struct span *ret_bytes)
{
    bool mapped = false;
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        goto out;
    if (!S_ISREG(status.st_mode) || status.st_size == 0) {
        errno = S_ISREG(status.st_mode) ? ENODATA : EINVAL;
        goto out;
    }
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    mapped = bytes != MAP_FAILED;
    *ret_bytes = span_of(bytes, (size_t)status.st_size);
out:
    if (!mapped)
        fprintf(stderr, "chronik sim replay: %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return mapped;
}

static void print_same(const struct replay *replay)
{
    printf("the same: %llu events, %llu effects, %llu.%06llu s, digest %016llx; %s",
           (unsigned long long)replay->events, (unsigned long long)replay->effects,
           (unsigned long long)(replay->duration_us / 1000000),
           (unsigned long long)(replay->duration_us % 1000000), (unsigned long long)replay->digest,
           endings[replay->ending]);
    if (replay->torn_bytes > 0)
        printf(" (%llu bytes at its end are not whole)", (unsigned long long)replay->torn_bytes);
    printf("\n");
}

/* Differences that are not the core's fault. */
static void print_hints(const struct replay *replay, const struct codec_libraries *libraries)
{
    if (!span_equal(replay->program, SPAN(CHRONIK_VERSION)))
        printf("it was recorded by chronik %.*s; this is chronik %s\n", SPAN_ARGS(replay->program),
               CHRONIK_VERSION);
    for (int codec = 0; codec < CODECS; codec++) {
        const struct codec_library *library = &libraries->libraries[codec];
        if (library->tried && library->handle == NULL)
            printf("a compressed batch could not be opened: a library is missing here\n");
    }
}

static void print_difference(void *context, const char *text)
{
    (void)context;
    printf("%s\n", text);
}

struct asked {
    const char *path;
    const char *trace_path; /* NULL: none */
    bool all;
};

/* Says how it ended. Returns the exit code. */
static int report(const struct asked *asked, enum replay_result result, const struct replay *replay,
                  const struct codec_libraries *libraries)
{
    switch (result) {
    case REPLAY_SAME:
        print_same(replay);
        return EXIT_CODE_DONE;
    case REPLAY_DIVERGED:
        if (asked->all)
            printf("diverged: %llu of %llu events\n", (unsigned long long)replay->differences,
                   (unsigned long long)replay->events);
        else
            printf("diverged: %s\n", replay->text);
        print_hints(replay, libraries);
        return EXIT_CODE_FAILED;
    case REPLAY_REFUSED:
        break;
    }
    fprintf(stderr, "chronik sim replay: %s: %s\n", asked->path, replay->text);
    return EXIT_CODE_USAGE;
}

/* Ends the trace, NULL being none, with how the replay ended. Returns the exit code that counts. */
static int trace_finish(struct trace *trace, const struct replay *replay, int exit_code)
{
    char reason[TRACE_REASON_BYTES];
    const struct sim sim = {
        .steps = replay->events,
        .now_us = replay->duration_us,
        .digest.value = replay->digest,
        .violation.result = exit_code == EXIT_CODE_DONE ? SIM_PASSED : SIM_SAFETY,
    };
    if (trace == NULL || trace_end(trace, &sim, reason))
        return exit_code;
    fprintf(stderr, "chronik sim replay: %s\n", reason);
    return exit_code == EXIT_CODE_DONE ? EXIT_CODE_FAILED : exit_code;
}

/* A simulated run, which its scenario and seed give again. */
static int replay_trace(const struct asked *asked)
{
    struct replay_run replay;
    switch (replay_run(asked->path, &replay)) {
    case REPLAY_SAME:
        printf("the same: %llu steps, digest %016llx\n", (unsigned long long)replay.steps,
               (unsigned long long)replay.digest);
        return EXIT_CODE_DONE;
    case REPLAY_DIVERGED:
        printf("diverged: %s\n", replay.text);
        return EXIT_CODE_FAILED;
    case REPLAY_REFUSED:
        break;
    }
    fprintf(stderr, "chronik sim replay: %s\n", replay.text);
    return EXIT_CODE_USAGE;
}

static int replay_file(const struct asked *asked)
{
    struct span record;
    struct replay replay;
    struct codec_libraries libraries;
    struct trace *trace = NULL;
    char reason[TRACE_REASON_BYTES];
    if (!map_file(asked->path, &record))
        return EXIT_CODE_USAGE;
    int exit_code = EXIT_CODE_USAGE;
    if (replay_is_trace(record)) {
        exit_code = replay_trace(asked);
        goto out;
    }
    if (asked->trace_path != NULL) {
        trace = trace_begin(asked->trace_path, asked->path, SPAN(""), 0, reason);
        if (trace == NULL) {
            fprintf(stderr, "chronik sim replay: %s\n", reason);
            goto out;
        }
    }
    codec_libraries_init(&libraries);
    const struct codecs codecs = codec_libraries_lend(&libraries);
    const struct replay_options options = {
        .codecs = &codecs,
        .differs = asked->all ? print_difference : NULL,
        .sink = trace == NULL ? NULL : &trace_sink,
        .sink_context = trace,
    };
    const enum replay_result result = replay_record(record, &options, &replay);
    exit_code = trace_finish(trace, &replay, report(asked, result, &replay, &libraries));
    codec_libraries_close(&libraries);
out:
    munmap((void *)(uintptr_t)record.data, record.length);
    return exit_code;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct asked asked = {0};
    struct options parser;
    const char *value;
    int found;
    options_start(&parser, cmd, argc, argv);
    while ((found = options_next(&parser, &value)) != OPTIONS_END) {
        switch (found) {
        case OPTIONS_EXIT:
            return parser.exit_code;
        case OPTION_ALL:
            asked.all = true;
            break;
        case OPTION_TRACE:
            asked.trace_path = value;
            break;
        default:
            if (asked.path != NULL)
                return options_mistake(cmd, "more than one file: %s", value);
            asked.path = value;
        }
    }
    return asked.path == NULL ? options_mistake(cmd, "name a flight record or a trace")
                              : replay_file(&asked);
}
