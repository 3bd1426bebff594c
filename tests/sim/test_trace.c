/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/scenario_parse.h"
#include "sim/trace.h"
#include "sim/trace_store.h"
#include "tests/support/runner.h"

#define PATH_BYTES 200

static const char scenario_text[] =
    "{\"tells\": \"Records come and go.\", \"load_ms\": 1000,"
    " \"topics\": [{\"name\": \"orders\", \"partitions\": 2}],"
    " \"clients\": [{\"kind\": \"producer\"}, {\"kind\": \"consumer\"}]}";

static char folder[] = "/tmp/chronik-trace.XXXXXX";
static char path[PATH_BYTES];
static char reason[TRACE_REASON_BYTES];

static void make_folder(void)
{
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/run.db", folder);
}

static void remove_folder(void)
{
    trace_tail_remove(path);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct trace *begin(void)
{
    struct trace *trace = trace_begin(path, "quiet", span_text(scenario_text), 7, reason);
    ck_assert_msg(trace != NULL, "%s", reason);
    return trace;
}

static int64_t number_of(sqlite3 *db, const char *question)
{
    sqlite3_stmt *row = NULL;
    ck_assert_msg(sqlite3_prepare_v2(db, question, -1, &row, NULL) == SQLITE_OK, "%s: %s", question,
                  sqlite3_errmsg(db));
    ck_assert_msg(sqlite3_step(row) == SQLITE_ROW, "%s: %s", question, sqlite3_errmsg(db));
    const int64_t number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return number;
}

/* ---- A sink that dies at a step. ---- */

struct mortal {
    struct trace *trace;
    uint64_t step;
    int signal;
};

static void on_event(void *context, const struct sim *sim, const struct host *host,
                     const struct event *event, struct span payload, uint64_t number,
                     uint64_t cause)
{
    const struct mortal *mortal = context;
    trace_sink.event(mortal->trace, sim, host, event, payload, number, cause);
    if (sim->steps == mortal->step)
        raise(mortal->signal);
}

static void on_effect(void *context, const struct sim *sim, const struct host *host,
                      const struct effect *effect, uint64_t number, uint64_t cause)
{
    const struct mortal *mortal = context;
    trace_sink.effect(mortal->trace, sim, host, effect, number, cause);
}

static void on_message(void *context, const struct sim *sim, const char *what,
                       const struct exchange *exchange, uint64_t number, uint64_t cause)
{
    const struct mortal *mortal = context;
    trace_sink.message(mortal->trace, sim, what, exchange, number, cause);
}

static void on_action(void *context, const struct sim *sim, const struct host *host,
                      const char *kind, const char *text, uint64_t number, uint64_t cause)
{
    const struct mortal *mortal = context;
    trace_sink.action(mortal->trace, sim, host, kind, text, number, cause);
}

static void on_violated(void *context, const struct sim *sim, const struct violation *violation)
{
    const struct mortal *mortal = context;
    trace_sink.violated(mortal->trace, sim, violation);
}

static const struct sim_sink mortal_sink = {
    .event = on_event,
    .effect = on_effect,
    .message = on_message,
    .action = on_action,
    .violated = on_violated,
};

/* A run that is traced; with a step, one whose process dies in it. */
static struct sim *run(uint64_t step, int signal, const struct scenario *scenario)
{
    struct mortal mortal = {.trace = begin(), .step = step, .signal = signal};
    const struct sim_options options = {.sink = &mortal_sink, .sink_context = &mortal};
    struct sim *sim = sim_new(scenario, 7, &options, reason, sizeof(reason));
    sim_run(sim);
    ck_assert_msg(trace_end(mortal.trace, sim, reason), "%s", reason);
    return sim;
}

static void scenario_make(struct scenario *scenario)
{
    struct scenario_error error;
    ck_assert_int_eq(scenario_parse(span_text(scenario_text), "quiet", scenario, &error), 0);
}

static void die(uint64_t step, int signal)
{
    struct scenario scenario;
    int status;
    scenario_make(&scenario);
    const pid_t child = fork();
    if (child == 0) {
        run(step, signal, &scenario);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == signal);
    scenario_free(&scenario);
}

/* ---- Stories. ---- */

START_TEST(a_whole_run)
{
    struct scenario scenario;
    struct trace_run trace;
    make_folder();
    scenario_make(&scenario);
    struct sim *sim = run(0, 0, &scenario);
    ck_assert(!trace_tail_is_there(path));
    sqlite3 *db = trace_open(path, &trace, reason);
    ck_assert_msg(db != NULL, "%s", reason);
    ck_assert_str_eq(trace.result, "passed");
    ck_assert_str_eq(trace.scenario_text, scenario_text);
    ck_assert_uint_eq(trace.steps, sim->steps);
    ck_assert_uint_eq(trace.digest, sim->digest.value);
    ck_assert_int_eq(number_of(db, "SELECT count(*) FROM steps"), sim->steps);
    ck_assert_int_eq(number_of(db, "SELECT max(number) FROM thing"), sim->trace_number);
    ck_assert_int_eq(number_of(db, "SELECT count(*) FROM thing"), sim->trace_number);
    ck_assert_int_gt(number_of(db, "SELECT count(*) FROM messages"), 10);
    /* Every message is JSON that can be asked. */
    ck_assert_int_eq(number_of(db, "SELECT count(*) FROM messages WHERE what <> 'lost' AND"
                                   " NOT json_valid(message)"),
                     0);
    ck_assert_int_gt(number_of(db, "SELECT count(*) FROM messages WHERE api = 'Produce' AND"
                                   " what = 'request' AND"
                                   " json_extract(message, '$.topic_data[0].name') = 'orders'"),
                     0);
    ck_assert_int_eq(number_of(db, "SELECT count(*) FROM disk WHERE path IS NULL"), 0);
    trace_run_free(&trace);
    sqlite3_close(db);
    sim_free(sim);
    scenario_free(&scenario);
    remove_folder();
}
END_TEST

static void ends_with_the_crash(uint64_t step, int signal)
{
    struct trace_run trace;
    make_folder();
    die(step, signal);
    ck_assert(trace_tail_is_there(path));
    ck_assert_msg(trace_salvage(path, "ended by a signal", reason), "%s", reason);
    ck_assert(!trace_tail_is_there(path));
    sqlite3 *db = trace_open(path, &trace, reason);
    ck_assert_msg(db != NULL, "%s", reason);
    ck_assert_str_eq(trace.result, "crash");
    ck_assert_uint_eq(trace.steps, step);
    ck_assert_int_eq(number_of(db, "SELECT count(*) FROM steps"), step);
    ck_assert_int_eq(number_of(db, "SELECT count(*) - max(number) FROM thing"), 0);
    /* The step that it died of, then the crash, which it caused. */
    ck_assert_int_eq(
        number_of(db, "SELECT max(number) - (SELECT max(number) FROM steps) FROM thing"), 1);
    ck_assert_int_eq(number_of(db, "SELECT number - cause FROM thing WHERE kind = 'crash' AND"
                                   " number = (SELECT max(number) FROM thing) AND node = 1 AND"
                                   " text = 'ended by a signal'"),
                     1);
    trace_run_free(&trace);
    sqlite3_close(db);
    remove_folder();
}

START_TEST(an_early_crash)
{
    ends_with_the_crash(3, SIGABRT);
}
END_TEST

/* By then there are rows in the database and rows in the tail. */
START_TEST(a_late_crash)
{
    ends_with_the_crash(4000, SIGKILL);
}
END_TEST

/* What a process had begun to bring to the database when it died is as if it had not. */
START_TEST(a_crash_in_a_transaction)
{
    struct trace_run trace;
    struct trace_store store;
    char journal[PATH_BYTES + 16];
    make_folder();
    die(20, SIGKILL);
    const pid_t child = fork();
    if (child == 0) {
        ck_assert(trace_store_open(&store, path, false));
        sqlite3_exec(store.db,
                     "BEGIN; INSERT INTO thing (number, cause, at_us, class, kind)"
                     " VALUES (1000000, 0, 0, 'event', 'completed')",
                     NULL, NULL, NULL);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    snprintf(journal, sizeof(journal), "%s-journal", path);
    ck_assert_int_eq(access(journal, F_OK), 0);
    ck_assert(trace_is(path));
    sqlite3 *db = trace_open(path, &trace, reason);
    ck_assert_msg(db != NULL, "%s", reason);
    ck_assert_uint_eq(trace.steps, 20);
    ck_assert_int_lt(number_of(db, "SELECT max(number) FROM thing"), 1000000);
    ck_assert_int_ne(access(journal, F_OK), 0);
    trace_run_free(&trace);
    sqlite3_close(db);
    remove_folder();
}
END_TEST

/* Whoever opens the trace completes it, if nobody has done so. */
START_TEST(a_crash_that_nobody_saw)
{
    struct trace_run trace;
    make_folder();
    die(500, SIGKILL);
    sqlite3 *db = trace_open(path, &trace, reason);
    ck_assert_msg(db != NULL, "%s", reason);
    ck_assert_str_eq(trace.result, "crash");
    ck_assert_uint_eq(trace.steps, 500);
    trace_run_free(&trace);
    sqlite3_close(db);
    remove_folder();
}
END_TEST

START_TEST(a_run_that_goes_on)
{
    struct trace_run run;
    const struct sim sim = {0};
    make_folder();
    struct trace *trace = begin();
    ck_assert_ptr_null(trace_open(path, &run, reason));
    ck_assert_msg(strstr(reason, "the run goes on still") != NULL, "%s", reason);
    ck_assert_msg(trace_end(trace, &sim, reason), "%s", reason);
    remove_folder();
}
END_TEST

START_TEST(replaces_a_trace_and_nothing_else)
{
    const struct sim sim = {0};
    make_folder();
    ck_assert(trace_end(begin(), &sim, reason));
    ck_assert(trace_end(begin(), &sim, reason));
    die(20, SIGKILL);
    ck_assert(trace_end(begin(), &sim, reason));
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs("a diary", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_ptr_null(trace_begin(path, "quiet", span_text(scenario_text), 7, reason));
    ck_assert_msg(strstr(reason, "is there and is no trace") != NULL, "%s", reason);
    remove_folder();
}
END_TEST

/* A tail that another program left, or that is damaged, is refused and stays. */
START_TEST(a_damaged_tail)
{
    char tail[PATH_BYTES + 8];
    make_folder();
    die(20, SIGKILL);
    snprintf(tail, sizeof(tail), "%s-tail", path);
    FILE *file = fopen(tail, "r+e");
    ck_assert_ptr_nonnull(file);
    fputc('x', file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert(!trace_salvage(path, "crash", reason));
    ck_assert_msg(strstr(reason, "Invalid argument") != NULL, "%s", reason);
    ck_assert_int_eq(truncate(tail, 3), 0);
    ck_assert(!trace_salvage(path, "crash", reason));
    ck_assert(trace_tail_is_there(path));
    remove_folder();
}
END_TEST

/* ---- The tail. ---- */

START_TEST(a_row_that_is_longer_than_the_tail)
{
    static char text[100000];
    struct trace_row row = {.number = 1, .class = TRACE_CLASS_ACTION, .has = TRACE_HAS_TEXT};
    struct span kind;
    struct span read;
    size_t place = 0;
    make_folder();
    memset(text, 'x', sizeof(text));
    struct trace_tail *tail = trace_tail_make(path);
    ck_assert_ptr_nonnull(tail);
    trace_tail_put(tail, &row, "long");
    for (int i = 0; i < 50; i++)
        trace_tail_text(tail, span_of(text, sizeof(text)));
    ck_assert_uint_eq(trace_tail_bytes(tail), 0); /* not whole yet */
    ck_assert(trace_tail_end(tail));
    ck_assert(trace_tail_next(tail, &place, &row, &kind, &read));
    ck_assert(span_equal(kind, SPAN("long")));
    ck_assert_uint_eq(read.length, 50 * sizeof(text));
    ck_assert(!trace_tail_next(tail, &place, &row, &kind, &read));
    trace_tail_clear(tail);
    place = 0;
    ck_assert(!trace_tail_next(tail, &place, &row, &kind, &read));
    trace_tail_close(tail);
    remove_folder();
}
END_TEST

SUITE(trace)
{
    TCase *tcase = tcase_create("trace");
    tcase_add_test(tcase, a_whole_run);
    tcase_add_test(tcase, an_early_crash);
    tcase_add_test(tcase, a_late_crash);
    tcase_add_test(tcase, a_crash_in_a_transaction);
    tcase_add_test(tcase, a_crash_that_nobody_saw);
    tcase_add_test(tcase, a_run_that_goes_on);
    tcase_add_test(tcase, replaces_a_trace_and_nothing_else);
    tcase_add_test(tcase, a_damaged_tail);
    tcase_add_test(tcase, a_row_that_is_longer_than_the_tail);
    suite_add_tcase(suite, tcase);
}
