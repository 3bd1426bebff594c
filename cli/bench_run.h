/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run of "chronik bench": one thread over all connections.
 *
 *      warm up ──▶ counted ──▶ drain: nothing more is due, what is on the way is waited for
 *
 * Without a rate a request begins when another one was answered, and those count that are answered
 * while the run is counted. With one, requests begin by the clock, whatever the broker does: those
 * count that were due while the run is counted, and they wait from when they were due, so that a
 * stall is seen by all that it met.
 */
#ifndef CLI_BENCH_RUN_H
#define CLI_BENCH_RUN_H

#include <stdint.h>

#include "cli/bench_histogram.h"
#include "cli/bench_plan.h"
#include "cli/client.h"

#define BENCH_ERRORS_MAX 256

struct bench_result {
    uint32_t partitions; /* that were worked on */
    int64_t counted_ns;
    /* While the run was counted, and without an error: */
    uint64_t requests;
    uint64_t records;
    uint64_t bytes;           /* of batches */
    struct histogram latency; /* from due or sent to answered */
    struct histogram tail;    /* from due to what a reader got */
    uint64_t cpu_ns;          /* of the plan's processes */
    uint64_t own_cpu_ns;
    /* From the first request to the last reply: */
    uint64_t all_requests; /* answered without an error */
    uint64_t all_records;
    uint64_t tail_records;                     /* that came to the readers */
    uint64_t errors;                           /* replies with an error */
    uint64_t errors_by_code[BENCH_ERRORS_MAX]; /* a code's place is one more than the code */
    uint64_t unanswered; /* on the way when the time to drain was over, or the connection lost */
    uint64_t unsent;     /* due, but all places were taken to the end of the drain */
    uint32_t lost;       /* connections */
    char
        message[CLIENT_MESSAGE_BYTES]; /* why the first of these was lost; or nothing could begin */
};

/* Does what the plan says. Returns 0; or -1 with ret_result->message when it could not begin. */
int bench_run(const struct bench_plan *plan, struct bench_result *ret_result);

#endif
