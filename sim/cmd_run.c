/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "core/base/format.h"
#include "sim/cmd.h"
#include "sim/cmd_run_report.h"
#include "sim/workers.h"

/* Exit codes besides those of every command, by what is worst. */
enum {
    EXIT_CODE_SAFETY = 1,
    EXIT_CODE_LIVENESS = 3,
    EXIT_CODE_CRASH = 4,
    EXIT_CODE_ZERO = 5,
    EXIT_CODE_INTERRUPTED = 130, /* as shells have it for SIGINT */
};

enum {
    OPTION_SEED,
    OPTION_SEEDS,
    OPTION_EACH,
    OPTION_JOBS,
    OPTION_TRACE,
    OPTION_TRACES,
    OPTION_NO_TRACES,
    OPTION_JSON,
    OPTION_REQUIRE_ALL,
};

static const struct option options_of_run[] = {
    [OPTION_SEED] = {"seed", "N", "Runs every scenario with this seed. The default is 1."},
    [OPTION_SEEDS] =
        {"seeds", "A-B",
         "Deals the seeds A to B out over the scenarios, so that each seed is one run."},
    [OPTION_EACH] = {"each", NULL, "With --seeds: runs each scenario with all of the seeds."},
    [OPTION_JOBS] = {"jobs", "N", "Runs so many at once. The default is one a processor."},
    [OPTION_TRACE] = {"trace", "FILE.db",
                      "Keeps the one run as a file for \"chronik sim show\" and \"why\"."},
    [OPTION_TRACES] = {"traces", "FOLDER",
                       "Where the first ten runs that fail are kept so, each under the name\n"
                       "chronik-SCENARIO-SEED.db. The default is the current folder."},
    [OPTION_NO_TRACES] = {"no-traces", NULL, "Keeps none."},
    [OPTION_JSON] = {"json", NULL, "Prints a line of JSON for each run, and one for all together."},
    [OPTION_REQUIRE_ALL] = {"require-all", NULL,
                            "Fails as well when a fault never fired or mattered, a moment never\n"
                            "came, or a judge had nothing to judge."},
    {0},
};

struct run_command {
    const char *path;
    uint64_t seed_first;
    uint64_t seed_last;
    bool has_seed;
    bool has_seeds;
    bool each;
    struct workers_options workers;
    bool as_json;
    bool requires_all;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static void on_ended(void *context, const struct run_result *result)
{
    report_run(context, result);
}

static bool on_waiting(void *context)
{
    report_progress(context);
    return interrupted == 0;
}

static bool read_number(struct span text, int64_t most, uint64_t *ret_number)
{
    int64_t number;
    if (parse_int64(text, &number) != 0 || number < 0 || number > most)
        return false;
    *ret_number = (uint64_t)number;
    return true;
}

/* "A-B". */
static bool read_seeds(const char *text, struct run_command *command)
{
    const char *dash = strchr(text, '-');
    return dash != NULL &&
           read_number(span_of(text, (size_t)(dash - text)), INT64_MAX, &command->seed_first) &&
           read_number(span_text(dash + 1), INT64_MAX, &command->seed_last) &&
           command->seed_first <= command->seed_last;
}

/* Takes one option or argument; an exit code, or -1 to go on. */
static int take(const struct cmd *cmd, struct run_command *command, int place, const char *value)
{
    uint64_t number = 0;
    switch (place) {
    case OPTION_SEED:
        if (!read_number(span_text(value), INT64_MAX, &number))
            return options_mistake(cmd, "--seed needs a number, not %s", value);
        command->seed_first = command->seed_last = number;
        command->has_seed = true;
        return -1;
    case OPTION_SEEDS:
        if (!read_seeds(value, command))
            return options_mistake(cmd, "--seeds needs two numbers as in 1-100, not %s", value);
        command->has_seeds = true;
        return -1;
    case OPTION_EACH:
        command->each = true;
        return -1;
    case OPTION_JOBS:
        if (!read_number(span_text(value), WORKERS_MAX, &number) || number == 0)
            return options_mistake(cmd, "--jobs needs a number from 1 to %d", WORKERS_MAX);
        command->workers.count = (uint32_t)number;
        return -1;
    case OPTION_TRACE:
        command->workers.trace_path = value;
        return -1;
    case OPTION_TRACES:
        command->workers.traces_folder = value;
        return -1;
    case OPTION_NO_TRACES:
        command->workers.traces_folder = NULL;
        return -1;
    case OPTION_JSON:
        command->as_json = true;
        return -1;
    case OPTION_REQUIRE_ALL:
        command->requires_all = true;
        return -1;
    default:
        if (command->path != NULL)
            return options_mistake(cmd, "takes one file or folder");
        command->path = value;
        return -1;
    }
}

/* Reads the command line; an exit code, or -1 to go on. */
static int read_command(const struct cmd *cmd, int argc, char **argv, struct run_command *command)
{
    struct options options;
    const char *value = NULL;
    int place;
    options_start(&options, cmd, argc, argv);
    while ((place = options_next(&options, &value)) >= OPTIONS_ARGUMENT) {
        const int exit_code = take(cmd, command, place, value);
        if (exit_code >= 0)
            return exit_code;
    }
    if (place == OPTIONS_EXIT)
        return options.exit_code;
    if (command->path == NULL)
        return options_mistake(cmd, "needs a file or a folder");
    if (command->has_seed && command->has_seeds)
        return options_mistake(cmd, "takes --seed or --seeds, not both");
    if (command->each && !command->has_seeds)
        return options_mistake(cmd, "--each needs --seeds");
    return -1;
}

/* What a campaign ends with, by the worst that it found. */
static int exit_code_of(const struct report *report, bool requires_all)
{
    if (report->counts[RUN_SAFETY] > 0)
        return EXIT_CODE_SAFETY;
    if (report->counts[RUN_CRASH] > 0)
        return EXIT_CODE_CRASH;
    if (report->counts[RUN_LIVENESS] > 0)
        return EXIT_CODE_LIVENESS;
    if (report->counts[RUN_REFUSED] > 0 || report->lacks_trace)
        return EXIT_CODE_USAGE;
    if (interrupted != 0)
        return EXIT_CODE_INTERRUPTED;
    return requires_all && report_zeros(report, stderr) > 0 ? EXIT_CODE_ZERO : EXIT_CODE_DONE;
}

/* As many processes as there are processors, and no more than there are runs. */
static uint32_t count_workers(uint32_t asked, uint64_t runs)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t count = asked;
    if (count == 0)
        count = processors < 1 ? 1 : (uint64_t)processors;
    if (count > WORKERS_MAX)
        count = WORKERS_MAX;
    return (uint32_t)(count > runs ? runs : count);
}

static int run_campaign(struct run_command *command, const struct campaign *campaign)
{
    struct report report;
    const struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    command->workers.count = count_workers(command->workers.count, campaign_runs(campaign));
    report_start(&report, campaign, command->as_json);
    if (workers_run(campaign, &command->workers, on_ended, on_waiting, &report) != 0) {
        fprintf(stderr, "chronik sim: cannot make a process: %s\n", strerror(errno));
        return EXIT_CODE_USAGE;
    }
    report_end(&report);
    return exit_code_of(&report, command->requires_all);
}

static int run_run(const struct cmd *cmd, int argc, char **argv)
{
    struct run_command command = {
        .seed_first = 1, .seed_last = 1, .workers = {.traces_folder = "."}};
    struct campaign campaign;
    int exit_code = read_command(cmd, argc, argv, &command);
    if (exit_code >= 0)
        return exit_code;
    if (campaign_load(&campaign, command.path, stderr) != 0) {
        campaign_free(&campaign);
        return EXIT_CODE_USAGE;
    }
    /* Whoever names a file and a seed wants to see what that does. */
    if (campaign.count == 1 && command.has_seed)
        campaign.items[0].scenario.seed = command.seed_first;
    campaign.seed_first = command.seed_first;
    campaign.seed_last = command.seed_last;
    campaign.each = command.each || !command.has_seeds;
    if (campaign_runs(&campaign) > CAMPAIGN_RUNS_MAX)
        exit_code = options_mistake(cmd, "these are more than %d runs", CAMPAIGN_RUNS_MAX);
    else if (command.workers.trace_path != NULL && campaign_runs(&campaign) != 1)
        exit_code = options_mistake(cmd, "--trace needs one scenario and one seed");
    else
        exit_code = run_campaign(&command, &campaign);
    campaign_free(&campaign);
    return exit_code;
}

const struct cmd cmd_run = {
    .program = "chronik sim",
    .name = "run",
    .arguments = "FILE|FOLDER [OPTION]...",
    .summary = "run scenarios, each with one seed or many",
    .help =
        "Runs a scenario, or all of a folder and the folders in it. The same scenario and seed "
        "give\n"
        "the same run, event by event. A run that fails is printed with the judge that objected "
        "and\n"
        "the command that shows it again. At the end stand the faults and moments that there "
        "were,\n"
        "how often each judge had something to judge, and figures. Soaks, which are long and "
        "quiet,\n"
        "run once whatever the seeds. Ctrl-C ends it with what was found so far.\n"
        "\n"
        "Exit codes, the first that fits:\n"
        "  1    safety was violated: something that must never happen did\n"
        "  4    a run crashed, or did not end\n"
        "  3    liveness was violated: something did not happen in time after faults had stopped\n"
        "  2    the command line or a scenario is wrong\n"
        "  130  it was interrupted, and had found nothing\n"
        "  5    --require-all found something that never happened\n"
        "  0    all runs passed",
    .examples = "chronik sim run scenarios/ --seeds 1-1000\n"
                "    A thousand runs, of all scenarios in turn.\n"
                "chronik sim run scenarios/power-loss.json --seed 7\n"
                "    One run.\n"
                "chronik sim run scenarios/ --seeds 1-50 --each --require-all\n"
                "    Fifty runs of each; nothing that is counted may stay at zero.",
    .options = options_of_run,
    .run = run_run,
};
