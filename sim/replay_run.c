/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/replay_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/host.h"
#include "sim/scenario_parse.h"
#include "sim/trace_names.h"

/* How SQLite's files begin, with a terminator. */
#define SQLITE_MAGIC "SQLite format 3"

struct comparison {
    sqlite3_stmt *row; /* events of the trace, in order */
    bool diverged;
    char *text; /* REPLAY_TEXT_BYTES */
};

bool replay_is_trace(struct span bytes)
{
    return bytes.length >= sizeof(SQLITE_MAGIC) &&
           memcmp(bytes.data, SQLITE_MAGIC, sizeof(SQLITE_MAGIC)) == 0;
}

static void on_event(void *context, const struct sim *sim, const struct host *host,
                     const struct event *event, struct span payload, uint64_t number,
                     uint64_t cause)
{
    (void)payload;
    (void)cause;
    struct comparison *comparison = context;
    if (comparison->diverged)
        return;
    if (sqlite3_step(comparison->row) != SQLITE_ROW) {
        comparison->diverged = true;
        snprintf(comparison->text, REPLAY_TEXT_BYTES,
                 "the trace ends before step %llu, \"%s\" on %s at %.3f ms",
                 (unsigned long long)sim->steps, trace_event_name(event->kind), host->name,
                 (double)sim->now_us / 1000);
        return;
    }
    const uint64_t digest = (uint64_t)sqlite3_column_int64(comparison->row, 0);
    if (digest == sim->digest.value)
        return;
    comparison->diverged = true;
    snprintf(comparison->text, REPLAY_TEXT_BYTES,
             "step %llu is another one: number %lld, \"%s\" on n%d at %.3f ms, digest %016llx in "
             "the trace; number %llu, \"%s\" on %s at %.3f ms, digest %016llx now",
             (unsigned long long)sim->steps, (long long)sqlite3_column_int64(comparison->row, 1),
             sqlite3_column_text(comparison->row, 2), sqlite3_column_int(comparison->row, 3),
             (double)sqlite3_column_int64(comparison->row, 4) / 1000, (unsigned long long)digest,
             (unsigned long long)number, trace_event_name(event->kind), host->name,
             (double)sim->now_us / 1000, (unsigned long long)sim->digest.value);
}

static void on_effect(void *context, const struct sim *sim, const struct host *host,
                      const struct effect *effect, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)host;
    (void)effect;
    (void)number;
    (void)cause;
}

static void on_message(void *context, const struct sim *sim, const char *what,
                       const struct exchange *exchange, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)what;
    (void)exchange;
    (void)number;
    (void)cause;
}

static void on_action(void *context, const struct sim *sim, const struct host *host,
                      const char *kind, const char *text, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)host;
    (void)kind;
    (void)text;
    (void)number;
    (void)cause;
}

static void on_violated(void *context, const struct sim *sim, const struct violation *violation)
{
    (void)context;
    (void)sim;
    (void)violation;
}

static const struct sim_sink compare = {
    .event = on_event,
    .effect = on_effect,
    .message = on_message,
    .action = on_action,
    .violated = on_violated,
};

static enum replay_result run_again(const struct scenario *scenario, const struct trace_run *trace,
                                    struct comparison *comparison, struct replay_run *replay)
{
    const struct sim_options options = {.sink = &compare, .sink_context = comparison};
    struct sim *sim = sim_new(scenario, trace->seed, &options, replay->text, sizeof(replay->text));
    if (sim == NULL)
        return REPLAY_REFUSED;
    sim_run(sim);
    replay->steps = sim->steps;
    replay->digest = sim->digest.value;
    const bool same =
        !comparison->diverged && sim->steps == trace->steps && sim->digest.value == trace->digest;
    if (!same && !comparison->diverged)
        snprintf(replay->text, sizeof(replay->text),
                 "the run ends after %llu steps with digest %016llx; in the trace after %llu with "
                 "%016llx",
                 (unsigned long long)sim->steps, (unsigned long long)sim->digest.value,
                 (unsigned long long)trace->steps, (unsigned long long)trace->digest);
    sim_free(sim);
    return same ? REPLAY_SAME : REPLAY_DIVERGED;
}

enum replay_result replay_run(const char *path, struct replay_run *ret_replay)
{
    *ret_replay = (struct replay_run){0};
    struct comparison comparison = {.text = ret_replay->text};
    struct scenario scenario;
    struct scenario_error error;
    struct trace_run trace;
    char reason[TRACE_REASON_BYTES];
    enum replay_result result = REPLAY_REFUSED;
    sqlite3 *db = trace_open(path, &trace, reason);
    if (db == NULL) {
        snprintf(ret_replay->text, sizeof(ret_replay->text), "%s", reason);
        return REPLAY_REFUSED;
    }
    if (scenario_parse(span_text(trace.scenario_text), trace.scenario_name, &scenario, &error) !=
        0) {
        snprintf(ret_replay->text, sizeof(ret_replay->text),
                 "this program does not take the trace's scenario: %s", error.text);
    } else {
        if (sqlite3_prepare_v2(db,
                               "SELECT digest, number, kind, node, at_us FROM thing"
                               " WHERE class = 'event' ORDER BY number",
                               -1, &comparison.row, NULL) == SQLITE_OK)
            result = run_again(&scenario, &trace, &comparison, ret_replay);
        else
            snprintf(ret_replay->text, sizeof(ret_replay->text), "%s", sqlite3_errmsg(db));
        sqlite3_finalize(comparison.row);
        scenario_free(&scenario);
    }
    trace_run_free(&trace);
    sqlite3_close(db);
    return result;
}
