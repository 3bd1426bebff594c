/* SPDX-License-Identifier: Apache-2.0 */
/* What "chronik bench" is told to do: its command line, read and checked. */
#ifndef CLI_BENCH_PLAN_H
#define CLI_BENCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_PIDS_MAX         64
#define BENCH_FRAMES_BYTES_MAX (INT64_C(1) << 30) /* of all requests that differ */

enum bench_arm {
    BENCH_PRODUCE, /* batches, made beforehand, as fast as replies or the clock allow */
    BENCH_FETCH,   /* what is in the log, again and again */
    BENCH_TAIL,    /* batches with their time in them, and readers that wait for them */
    BENCH_ARMS,
};

struct bench_plan {
    enum bench_arm arm;
    const char *servers;
    const char *topic;
    int32_t create_partitions; /* 0: the topic has to be there */
    int16_t create_replicas;
    uint32_t connections;
    uint32_t depth;        /* requests on the way on each connection */
    uint32_t batch_bytes;  /* of the values in a batch */
    uint32_t record_bytes; /* of one value */
    uint32_t fetch_bytes;
    int16_t acks;
    uint32_t rate; /* requests a second, of all connections; 0: the next when one is answered */
    bool spread;   /* each connection sends to all partitions of its leader in turn */
    bool apart;    /* each request is sent by itself */
    uint32_t seconds;
    uint32_t warm_up_seconds;
    int timeout_ms;
    pid_t pids[BENCH_PIDS_MAX]; /* the brokers' */
    uint32_t pids_count;
    bool json;
};

#endif
