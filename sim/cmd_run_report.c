/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cmd_run_report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/json.h"
#include "core/base/check.h"

#define TERMINAL_US ((uint64_t)200000) /* between two lines of progress */
#define LOG_US      ((uint64_t)10000000)

static uint64_t now_us(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void report_start(struct report *report, const struct campaign *campaign, bool as_json)
{
    *report = (struct report){.campaign = campaign, .as_json = as_json, .started_us = now_us()};
    report->told_us = report->started_us;
    report->judges_count = run_judges(&campaign->items[0].scenario, report->judges);
}

/* ---- Sums. ---- */

/* "fault_crash", but not "fault_crash_mattered". */
static bool is_fault(enum tally_row row)
{
    static const char mattered[] = "_mattered";
    const char *name = tally_name(row);
    const size_t length = strlen(name);
    const size_t ending = sizeof(mattered) - 1;
    return strncmp(name, "fault_", 6) == 0 &&
           (length < ending || strcmp(name + length - ending, mattered) != 0);
}

static uint64_t faults_of(const struct tally *tally)
{
    uint64_t faults = 0;
    for (int row = 0; row < TALLY_ROWS; row++)
        faults += is_fault((enum tally_row)row) ? tally->counts[row] : 0;
    return faults;
}

static void add(struct report *report, const struct run_result *result)
{
    report->runs++;
    report->counts[result->outcome]++;
    report->steps += result->steps;
    report->virtual_us += result->virtual_us;
    report->cpu_us += result->cpu_us;
    report->faults += faults_of(&result->tally);
    tally_add(&report->tally, &result->tally);
    for (uint32_t i = 0; i < result->judges_count; i++)
        report->judged[i] += result->judged[i];
}

static double seconds(uint64_t us)
{
    return (double)us / 1e6;
}

static double ratio(double of, double by)
{
    return by > 0 ? of / by : 0;
}

/* ---- JSON. ---- */

static void print_json_text(const char *name, const char *text)
{
    printf("\"%s\": ", name);
    json_text(stdout, span_text(text));
}

static void print_json_counts(const struct report *report, const struct tally *tally,
                              const uint64_t *judged)
{
    printf("\"tallies\": {");
    for (int row = 0; row < TALLY_ROWS; row++)
        printf("%s\"%s\": %" PRIu64, row == 0 ? "" : ", ", tally_name((enum tally_row)row),
               tally->counts[row]);
    printf("}, \"judges\": {");
    for (uint32_t i = 0; i < report->judges_count; i++)
        printf("%s\"%s\": %" PRIu64, i == 0 ? "" : ", ", report->judges[i], judged[i]);
    printf("}");
}

static void print_json_run(const struct report *report, const struct run_result *result,
                           const char *path)
{
    printf("{");
    print_json_text("scenario", path);
    printf(", \"seed\": %" PRIu64 ", \"outcome\": \"%s\", \"steps\": %" PRIu64
           ", \"digest\": \"%016" PRIx64 "\", \"virtual_seconds\": %.6f, \"cpu_seconds\": %.6f, ",
           result->seed, run_outcome_name((enum run_outcome)result->outcome), result->steps,
           result->digest, seconds(result->virtual_us), seconds(result->cpu_us));
    print_json_counts(report, &result->tally, result->judged);
    if (result->outcome != RUN_PASSED) {
        printf(", \"violation\": {");
        print_json_text("judge", result->judge);
        printf(", ");
        print_json_text("rule", result->rule);
        printf(", ");
        print_json_text("source", result->source);
        printf(", ");
        print_json_text("text", result->text);
        printf(", \"step\": %" PRIu64 ", \"at_seconds\": %.6f}", result->at_step,
               seconds(result->at_us));
    }
    if (result->trace[0] != '\0') {
        printf(", ");
        print_json_text("trace", result->trace);
    }
    printf("}\n");
}

static void print_json_summary(const struct report *report)
{
    printf("{\"summary\": {\"runs\": %" PRIu64, report->runs);
    for (int outcome = 0; outcome < RUN_OUTCOMES; outcome++)
        printf(", \"%s\": %" PRIu64, run_outcome_name((enum run_outcome)outcome),
               report->counts[outcome]);
    printf(", \"steps\": %" PRIu64 ", \"acked_records\": %" PRIu64 ", \"faults_per_run\": %.3f"
           ", \"virtual_seconds\": %.6f, \"cpu_seconds\": %.6f, \"seconds\": %.6f, ",
           report->steps, report->tally.counts[TALLY_acked_records],
           ratio((double)report->faults, (double)report->runs), seconds(report->virtual_us),
           seconds(report->cpu_us), seconds(now_us() - report->started_us));
    print_json_counts(report, &report->tally, report->judged);
    printf("}}\n");
}

/* ---- Words. ---- */

static void line_end(struct report *report)
{
    if (report->has_line)
        fprintf(stderr, "\r\033[K");
    report->has_line = false;
}

/* A word of a command line, in quotes where the shell needs them. */
static void print_quoted(const char *text)
{
    if (text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+-")] ==
        '\0') {
        printf("%s", text);
        return;
    }
    printf("'");
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            printf("'\\''");
        else
            printf("%c", *text);
    }
    printf("'");
}

static void print_failure(const struct run_result *result, const struct campaign_scenario *item)
{
    printf("%s, seed %" PRIu64 ": %s\n", item->scenario.name, result->seed,
           run_outcome_name((enum run_outcome)result->outcome));
    if (result->judge[0] != '\0')
        printf("  judge   %s\n  rule    %s (%s)\n", result->judge, result->rule, result->source);
    printf("  what    %s\n", result->text);
    if (result->judge[0] != '\0')
        printf("  when    step %" PRIu64 ", %.6f s\n", result->at_step, seconds(result->at_us));
    if (result->trace[0] != '\0')
        printf("  trace   %s\n", result->trace);
    printf("  again   chronik sim run ");
    print_quoted(item->path);
    printf(" --seed %" PRIu64 "\n", result->seed);
}

void report_run(struct report *report, const struct run_result *result)
{
    uint64_t seed;
    const struct campaign_scenario *item = campaign_run(report->campaign, result->run, &seed);
    add(report, result);
    if (result->no_trace[0] != '\0') {
        line_end(report);
        fprintf(stderr, "%s, seed %" PRIu64 ": %s\n", item->scenario.name, result->seed,
                result->no_trace);
        report->lacks_trace = true;
    }
    if (!report->as_json && result->outcome == RUN_PASSED)
        return;
    line_end(report);
    if (report->as_json)
        print_json_run(report, result, item->path);
    else
        print_failure(result, item);
    fflush(stdout);
}

void report_progress(struct report *report)
{
    const bool is_terminal = isatty(STDERR_FILENO) == 1;
    const uint64_t now = now_us();
    const uint64_t runs = campaign_runs(report->campaign);
    if (now - report->told_us < (is_terminal ? TERMINAL_US : LOG_US))
        return;
    report->told_us = now;
    fprintf(stderr, "%s%" PRIu64 " of %" PRIu64 " runs, %" PRIu64 " failed, %.1f M steps",
            is_terminal ? "\r\033[K" : "", report->runs, runs,
            report->runs - report->counts[RUN_PASSED], (double)report->steps / 1e6);
    if (report->runs > 0)
        fprintf(stderr, ", about %.0f s left",
                seconds(now - report->started_us) * (double)(runs - report->runs) /
                    (double)report->runs);
    fprintf(stderr, is_terminal ? "" : "\n");
    report->has_line = is_terminal;
}

static void print_tables(const struct report *report)
{
    printf("\nFaults and moments\n");
    for (int row = 0; row < TALLY_ROWS; row++)
        printf("  %-26s %12" PRIu64 "  %s\n", tally_name((enum tally_row)row),
               report->tally.counts[row], tally_text((enum tally_row)row));
    printf("\nJudges, and how often each had something to judge\n");
    for (uint32_t i = 0; i < report->judges_count; i++)
        printf("  %-26s %12" PRIu64 "\n", report->judges[i], report->judged[i]);
}

void report_end(struct report *report)
{
    line_end(report);
    if (report->as_json) {
        print_json_summary(report);
        return;
    }
    print_tables(report);
    printf("\n%" PRIu64 " of %" PRIu64 " runs of %u %s: %" PRIu64 " passed", report->runs,
           campaign_runs(report->campaign), report->campaign->count,
           report->campaign->count == 1 ? "scenario" : "scenarios", report->counts[RUN_PASSED]);
    for (int outcome = RUN_PASSED + 1; outcome < RUN_OUTCOMES; outcome++) {
        if (report->counts[outcome] > 0)
            printf(", %" PRIu64 " %s", report->counts[outcome],
                   run_outcome_name((enum run_outcome)outcome));
    }
    printf("\n%" PRIu64 " steps, %" PRIu64 " records acknowledged, %.1f faults a run, %.1f s of "
           "the world\n",
           report->steps, report->tally.counts[TALLY_acked_records],
           ratio((double)report->faults, (double)report->runs), seconds(report->virtual_us));
    printf("%.1f s, of processors %.1f s: %.3f M steps a second and core\n",
           seconds(now_us() - report->started_us), seconds(report->cpu_us),
           ratio((double)report->steps, (double)report->cpu_us));
}

uint32_t report_zeros(const struct report *report, FILE *out)
{
    uint32_t zeros = 0;
    for (int row = 0; row < TALLY_ROWS; row++) {
        if (report->tally.counts[row] > 0)
            continue;
        fprintf(out, "never: %s (%s)\n", tally_name((enum tally_row)row),
                tally_text((enum tally_row)row));
        zeros++;
    }
    for (uint32_t i = 0; i < report->judges_count; i++) {
        if (report->judged[i] > 0)
            continue;
        fprintf(out, "nothing to judge: %s\n", report->judges[i]);
        zeros++;
    }
    return zeros;
}
