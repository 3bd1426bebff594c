/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs beside a measurement.
 *
 *      beside spin CPU    keeps a processor awake, which costs those who wait for one that sleeps
 *                         more than what they wait for; gives way to everyone
 *      beside hiccup      how late the machine itself is: sleeps a millisecond again and again,
 *                         before everyone else, and on SIGTERM tells how much too long that was
 *      beside until PARENT COMMAND...
 *                         becomes the command, which is killed when the process PARENT, who starts
 *                         this, ends, however that comes about
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench_histogram.h"
#include "core/base/format.h"

#define SLEEP_NS 1000000

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

static int fail(const char *what)
{
    fprintf(stderr, "beside: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

static int spin(const char *text)
{
    const struct sched_param idle = {.sched_priority = 0};
    int64_t number;
    cpu_set_t cpus;
    if (parse_int64(span_text(text), &number) != 0 || number < 0 || number >= CPU_SETSIZE) {
        errno = EINVAL;
        return fail(text);
    }
    CPU_ZERO(&cpus);
    CPU_SET((size_t)number, &cpus);
    if (sched_setscheduler(0, SCHED_IDLE, &idle) != 0 ||
        sched_setaffinity(0, sizeof(cpus), &cpus) != 0)
        return fail(text);
    while (!ended) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    return EXIT_SUCCESS;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int hiccup(void)
{
    static struct histogram late;
    const struct sched_param first = {.sched_priority = 1};
    const bool is_first = sched_setscheduler(0, SCHED_FIFO, &first) == 0;
    prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
    while (!ended) {
        const struct timespec nap = {.tv_sec = 0, .tv_nsec = SLEEP_NS};
        const uint64_t began = now_ns();
        if (clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL) != 0)
            continue;
        const uint64_t slept = now_ns() - began;
        histogram_add(&late, slept > SLEEP_NS ? slept - SLEEP_NS : 0);
    }
    printf("{\"first\":%s,\"naps\":%llu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p99_9_us\":%.1f,"
           "\"max_us\":%.1f}\n",
           is_first ? "true" : "false", (unsigned long long)late.count,
           (double)histogram_quantile_ns(&late, 500) / 1e3,
           (double)histogram_quantile_ns(&late, 990) / 1e3,
           (double)histogram_quantile_ns(&late, 999) / 1e3, (double)late.max_ns / 1e3);
    return EXIT_SUCCESS;
}

/* The parent may have ended before the kernel was asked to tell of it (prctl(2)). */
static int until(const char *parent, char *const *command)
{
    int64_t number;
    if (parse_int64(span_text(parent), &number) != 0) {
        errno = EINVAL;
        return fail(parent);
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return fail("prctl");
    if (getppid() != number) {
        errno = ESRCH;
        return fail(parent);
    }
    execvp(command[0], command);
    return fail(command[0]);
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "until") == 0)
        return until(argv[2], argv + 3);
    signal(SIGTERM, end);
    if (argc == 3 && strcmp(argv[1], "spin") == 0)
        return spin(argv[2]);
    if (argc == 2 && strcmp(argv[1], "hiccup") == 0)
        return hiccup();
    fprintf(stderr, "Usage: beside spin CPU | beside hiccup | beside until PARENT COMMAND...\n");
    return EXIT_FAILURE;
}
