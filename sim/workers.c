/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/check.h"
#include "sim/memory.h"
#include "sim/trace.h"

#define POLL_MS 200

/* What the processes share. */
struct board {
    atomic_uint_fast64_t next_run;
    atomic_uint_fast32_t traces;
    atomic_uint_fast64_t current[WORKERS_MAX]; /* which run each has */
};

/*
 * A worker whose run crashes is followed by one that does the run again, with a trace:
 *
 *     RUNS ──crash──▶ reported if it has a trace or gets none, else ──▶ TRACES ──▶ reported, RUNS
 */
struct worker {
    pid_t process; /* 0: it has ended */
    int results;   /* what came of its runs comes out here */
    struct run_result result;
    size_t received; /* bytes of it */
    bool traces;     /* its first run is that which crashed: */
    struct run_result crash;
};

struct workers {
    const struct campaign *campaign;
    const struct workers_options *options;
    uint64_t runs;
    struct board *board;
    uint32_t count;
    workers_ended *ended;
    void *context;
    struct worker *items;
};

/* Where a run that failed is kept: "chronik-power-loss-7.db". False when it is not. */
static bool trace_place(const struct workers *workers, const struct campaign_scenario *item,
                        uint64_t seed, char ret_path[static RUN_PATH_BYTES])
{
    if (workers->options->traces_folder == NULL || workers->options->trace_path != NULL ||
        atomic_fetch_add(&workers->board->traces, 1) >= WORKERS_TRACES_MAX)
        return false;
    const int length =
        snprintf(ret_path, RUN_PATH_BYTES, "%s/chronik-%s-%llu.db", workers->options->traces_folder,
                 item->scenario.name, (unsigned long long)seed);
    return length > 0 && length < RUN_PATH_BYTES;
}

/* ---- In the worker's process. ---- */

static bool put(int descriptor, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t written = write(descriptor, (const uint8_t *)bytes + done, length - done);
        if (written < 0 && errno != EINTR)
            return false;
        done += written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* A run that failed is had again, and kept. */
static void trace_failure(const struct workers *workers, const struct campaign_scenario *item,
                          struct run_result *result)
{
    char path[RUN_PATH_BYTES];
    struct run_result traced;
    if ((result->outcome != RUN_SAFETY && result->outcome != RUN_LIVENESS) ||
        !trace_place(workers, item, result->seed, path))
        return;
    run_once(&item->scenario, result->seed, path, item->text, &traced);
    memcpy(result->trace, traced.trace, sizeof(result->trace));
    memcpy(result->no_trace, traced.no_trace, sizeof(result->no_trace));
    if (traced.digest != result->digest)
        snprintf(result->no_trace, sizeof(result->no_trace),
                 "the same seed gave another run: the digest was %016llx and is %016llx",
                 (unsigned long long)result->digest, (unsigned long long)traced.digest);
}

/* A run that crashed is had again, and crashes again: if it does not, its result is passed on. */
static void trace_crash(const struct workers *workers, const struct run_result *crash, int results)
{
    uint64_t seed;
    struct run_result result;
    const struct campaign_scenario *item = campaign_run(workers->campaign, crash->run, &seed);
    alarm(WORKER_SECONDS_MAX);
    run_once(&item->scenario, seed, crash->trace, item->text, &result);
    alarm(0);
    if (!put(results, &result, sizeof(result)))
        _exit(1);
}

__attribute__((noreturn)) static void work(const struct workers *workers, uint32_t number,
                                           int results)
{
    /* The parent is told of Ctrl-C too, and ends us. */
    signal(SIGINT, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (workers->items[number].traces)
        trace_crash(workers, &workers->items[number].crash, results);
    for (;;) {
        struct run_result result;
        uint64_t seed;
        const uint64_t run = atomic_fetch_add(&workers->board->next_run, 1);
        if (run >= workers->runs)
            _exit(0);
        atomic_store(&workers->board->current[number], run);
        const struct campaign_scenario *item = campaign_run(workers->campaign, run, &seed);
        alarm(WORKER_SECONDS_MAX);
        run_once(&item->scenario, seed, workers->options->trace_path, item->text, &result);
        result.run = run;
        trace_failure(workers, item, &result);
        alarm(0);
        if (!put(results, &result, sizeof(result)))
            _exit(1);
    }
}

/* ---- In the parent. ---- */

static int worker_fork(struct workers *workers, uint32_t number)
{
    int results[2];
    if (pipe2(results, O_CLOEXEC) != 0)
        return -1;
    /* What is buffered would be printed twice. */
    fflush(NULL);
    const pid_t process = fork();
    if (process == 0)
        work(workers, number, results[1]);
    close(results[1]);
    if (process < 0) {
        close(results[0]);
        return -1;
    }
    workers->items[number].process = process;
    workers->items[number].results = results[0];
    workers->items[number].received = 0;
    return 0;
}

/* The wait status of a worker that has ended, or is about to. */
static int worker_wait(struct worker *worker)
{
    int status = 0;
    while (waitpid(worker->process, &status, 0) < 0 && errno == EINTR)
        continue;
    close(worker->results);
    worker->process = 0;
    return status;
}

/* What is told of a worker that ended in the middle of a run. */
static struct run_result crash_of(const struct workers *workers, uint64_t run, int status)
{
    struct run_result result = {.outcome = RUN_CRASH, .run = run};
    campaign_run(workers->campaign, run, &result.seed);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(result.text, sizeof(result.text), "did not end within %d s", WORKER_SECONDS_MAX);
    else if (WIFSIGNALED(status))
        snprintf(result.text, sizeof(result.text), "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(result.text, sizeof(result.text), "ended with exit code %d", WEXITSTATUS(status));
    return result;
}

/* Reports a run whose process left the beginning of a trace, which is completed. */
static void crashed_with_trace(const struct workers *workers, struct run_result *crash)
{
    char reason[TRACE_REASON_BYTES];
    if (!trace_salvage(crash->trace, crash->text, reason)) {
        snprintf(crash->no_trace, sizeof(crash->no_trace), "%.*s", RUN_RULE_BYTES - 1, reason);
        crash->trace[0] = '\0';
    }
    workers->ended(workers->context, crash);
}

/* The worker ended in the middle of a run: that is its result, or the end of its trace. One that
 * did not end by itself is not traced, since that would not end either. */
static void crashed(struct workers *workers, uint32_t number, int status)
{
    struct worker *worker = &workers->items[number];
    const char *trace_path = workers->options->trace_path;
    const bool traced = worker->traces;
    uint64_t seed;
    worker->traces = false;
    if (traced) {
        crashed_with_trace(workers, &worker->crash);
        return;
    }
    worker->crash = crash_of(workers, atomic_load(&workers->board->current[number]), status);
    const struct campaign_scenario *item =
        campaign_run(workers->campaign, worker->crash.run, &seed);
    if (trace_path != NULL) {
        snprintf(worker->crash.trace, sizeof(worker->crash.trace), "%s", trace_path);
        crashed_with_trace(workers, &worker->crash);
    } else if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) &&
               trace_place(workers, item, seed, worker->crash.trace)) {
        worker->traces = true;
    } else {
        workers->ended(workers->context, &worker->crash);
    }
}

/* A result is there. Of a run that crashed it says that it does not do so always. */
static void result_take(struct workers *workers, struct worker *worker)
{
    worker->received = 0;
    if (!worker->traces) {
        workers->ended(workers->context, &worker->result);
        return;
    }
    worker->traces = false;
    snprintf(worker->crash.no_trace, sizeof(worker->crash.no_trace),
             "it did not crash when it was run again for a trace, which is in %.*s",
             RUN_RULE_BYTES / 2, worker->crash.trace);
    worker->crash.trace[0] = '\0';
    workers->ended(workers->context, &worker->crash);
}

/* Takes what has come from a worker. */
static int worker_receive(struct workers *workers, uint32_t number)
{
    struct worker *worker = &workers->items[number];
    uint8_t *at = (uint8_t *)&worker->result + worker->received;
    const ssize_t got = read(worker->results, at, sizeof(worker->result) - worker->received);
    if (got < 0 && errno == EINTR)
        return 0;
    if (got <= 0) {
        const int status = worker_wait(worker);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            return 0;
        crashed(workers, number, status);
        return worker_fork(workers, number);
    }
    worker->received += (size_t)got;
    if (worker->received == sizeof(worker->result))
        result_take(workers, worker);
    return 0;
}

/* Waits for results. Returns 1 while there are workers, 0 when there are none, -1 with errno. */
static int turn(struct workers *workers)
{
    struct pollfd polls[WORKERS_MAX];
    bool is_busy = false;
    for (uint32_t i = 0; i < workers->count; i++) {
        const struct worker *worker = &workers->items[i];
        polls[i] =
            (struct pollfd){.fd = worker->process > 0 ? worker->results : -1, .events = POLLIN};
        is_busy = is_busy || worker->process > 0;
    }
    if (!is_busy)
        return 0;
    if (poll(polls, workers->count, POLL_MS) < 0)
        return errno == EINTR ? 1 : -1;
    for (uint32_t i = 0; i < workers->count; i++) {
        if (polls[i].revents != 0 && worker_receive(workers, i) != 0)
            return -1;
    }
    return 1;
}

static int run_all(struct workers *workers, workers_waiting *waiting)
{
    int result = 1;
    for (; workers->count < workers->options->count; workers->count++) {
        if (worker_fork(workers, workers->count) != 0)
            return -1;
    }
    while (result > 0 && waiting(workers->context))
        result = turn(workers);
    return result < 0 ? -1 : 0;
}

int workers_run(const struct campaign *campaign, const struct workers_options *options,
                workers_ended *ended, workers_waiting *waiting, void *context)
{
    struct workers workers = {.campaign = campaign,
                              .options = options,
                              .runs = campaign_runs(campaign),
                              .ended = ended,
                              .context = context};
    CHECK(options->count <= WORKERS_MAX);
    void *board =
        mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return -1;
    workers.board = board;
    workers.items = sim_allocate(NULL, options->count * sizeof(*workers.items));
    memset(workers.items, 0, options->count * sizeof(*workers.items));
    const int result = run_all(&workers, waiting);
    const int error = errno;
    for (uint32_t i = 0; i < workers.count; i++) {
        if (workers.items[i].process <= 0)
            continue;
        kill(workers.items[i].process, SIGKILL);
        worker_wait(&workers.items[i]);
    }
    free(workers.items);
    munmap(board, sizeof(struct board));
    errno = error;
    return result;
}
