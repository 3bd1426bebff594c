/* SPDX-License-Identifier: Apache-2.0 */
/* chronik sim shrink: a smaller scenario that fails as a traced run did. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "sim/cmd.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_write.h"
#include "sim/shrink.h"
#include "sim/trace.h"

#define SECONDS_DEFAULT 60
#define SECONDS_MOST    86400
#define PATH_BYTES      512

static int run(const struct cmd *cmd, int argc, char **argv);

enum { OPTION_OUT, OPTION_SECONDS };

static const struct option rows[] = {
    {"out", "FILE.json", "Where the scenario is written; SCENARIO-SEED.json without."},
    {"seconds", "N", "Searches for so long at most. Default: 60."},
    {NULL, NULL, NULL},
};

const struct cmd cmd_shrink = {
    .program = "chronik sim",
    .name = "shrink",
    .arguments = "FILE.db [OPTION]...",
    .summary = "make the scenario of a failed run smaller",
    .help = "Runs the scenario of a traced run again and again, each time with fewer faults and\n"
            "clients, as long as the same judge objects with the same seed; writes the smallest\n"
            "one found. Faults that the seed had drawn stand in it with their times.\n"
            "\n"
            "The file belongs to scenarios/regressions/ once its first line tells what it shows.\n"
            "The exit status is 1 when the run does not fail any more.",
    .examples = "chronik sim shrink failed.db --out scenarios/regressions/lost-commit.json",
    .options = rows,
    .run = run,
};

struct request {
    const char *path;
    const char *out;
    uint64_t seconds;
};

static bool seconds_read(const char *text, uint64_t *ret_seconds)
{
    char *end;
    *ret_seconds = strtoull(text, &end, 10);
    return end != text && *end == '\0' && *ret_seconds >= 1 && *ret_seconds <= SECONDS_MOST;
}

static bool request_read(struct request *request, const struct cmd *cmd, int argc, char **argv,
                         int *ret_exit_code)
{
    struct options options;
    const char *value = NULL;
    int found;
    *request = (struct request){.seconds = SECONDS_DEFAULT};
    options_start(&options, cmd, argc, argv);
    while ((found = options_next(&options, &value)) != OPTIONS_END) {
        bool good = true;
        if (found == OPTIONS_EXIT) {
            *ret_exit_code = options.exit_code;
            return false;
        }
        if (found == OPTION_OUT)
            request->out = value;
        else if (found == OPTION_SECONDS)
            good = seconds_read(value, &request->seconds);
        else if (request->path == NULL)
            request->path = value;
        else
            good = false;
        if (!good) {
            *ret_exit_code = options_mistake(cmd, "cannot take \"%s\" here", value);
            return false;
        }
    }
    if (request->path != NULL)
        return true;
    *ret_exit_code = options_mistake(cmd, "a trace is missing: FILE.db");
    return false;
}

static void on_try(void *context, const struct shrink *shrink, const struct scenario *scenario)
{
    (void)context;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\rtry %u: %u faults, %u rows of clients ", shrink->tries,
                scenario->faults_count, scenario->clients_count);
}

/* Writes the scenario; returns an exit code. */
static int result_write(const struct scenario *scenario, const struct request *request,
                        const struct trace_run *trace)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s-%llu.json", trace->scenario_name,
             (unsigned long long)trace->seed);
    const char *out = request->out != NULL ? request->out : path;
    struct scenario result = *scenario;
    result.seed = trace->seed;
    FILE *file = fopen(out, "wx");
    if (file == NULL) {
        fprintf(stderr, "chronik sim shrink: cannot write %s: %s\n", out, strerror(errno));
        return EXIT_CODE_FAILED;
    }
    scenario_write(&result, file);
    if (fclose(file) != 0) {
        fprintf(stderr, "chronik sim shrink: cannot write %s: %s\n", out, strerror(errno));
        return EXIT_CODE_FAILED;
    }
    printf("%s: fails with \"chronik sim run %s\"\n", out, out);
    return EXIT_CODE_DONE;
}

static int shrink_trace(const struct request *request, const struct trace_run *trace)
{
    struct scenario scenario;
    struct scenario_error error;
    if (trace->judge == NULL) {
        fprintf(stderr, "chronik sim shrink: no judge objected in this run\n");
        return EXIT_CODE_FAILED;
    }
    if (scenario_parse(span_text(trace->scenario_text), trace->scenario_name, &scenario, &error) !=
        0) {
        fprintf(stderr, "chronik sim shrink: this program does not take the trace's scenario: %s\n",
                error.text);
        return EXIT_CODE_FAILED;
    }
    struct shrink shrink = {.judge = trace->judge,
                            .seed = trace->seed,
                            .ms_most = request->seconds * 1000,
                            .progress = on_try};
    int exit_code = EXIT_CODE_FAILED;
    if (shrink_run(&shrink, &scenario)) {
        if (isatty(STDERR_FILENO))
            fputc('\n', stderr);
        printf("%u faults had fired; %u faults and %u rows of clients are left after %u tries\n",
               shrink.faults_at_first, scenario.faults_count, scenario.clients_count, shrink.tries);
        exit_code = result_write(&scenario, request, trace);
    } else {
        fprintf(stderr, "chronik sim shrink: with this program the run does not fail by \"%s\"\n",
                trace->judge);
    }
    scenario_free(&scenario);
    return exit_code;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct request request;
    struct trace_run trace;
    char reason[TRACE_REASON_BYTES];
    int exit_code = EXIT_CODE_USAGE;
    if (!request_read(&request, cmd, argc, argv, &exit_code))
        return exit_code;
    sqlite3 *db = trace_open(request.path, &trace, reason);
    if (db == NULL) {
        fprintf(stderr, "chronik sim shrink: %s\n", reason);
        return EXIT_CODE_FAILED;
    }
    sqlite3_close(db);
    exit_code = shrink_trace(&request, &trace);
    trace_run_free(&trace);
    return exit_code;
}
