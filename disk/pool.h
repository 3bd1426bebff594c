/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads for what may wait for a device: syncs, cold reads, removals. A thread is
 * started when a job finds none idle, so that a broker that needs none does not pay for them.
 */
#ifndef DISK_POOL_H
#define DISK_POOL_H

#include <stdint.h>

#include "disk/calls.h"

struct job;

/* Embedded in whatever has to be done. */
struct job {
    struct job *next;
    void (*run)(struct job *job);  /* on a thread, without any lock: touches only the job's own */
    void (*done)(struct job *job); /* later, in pool_collect(); may free the job */
};

struct pool;

/* A pool of at most `threads_max` (≥ 1) threads; NULL with errno set when the system refuses. */
struct pool *pool_new(const struct disk_calls *calls, uint32_t threads_max);

/* Readable (poll it level-triggered) while pool_collect() has something to do. */
int pool_fd(const struct pool *pool);

/* Has `job` run. When not a single thread can be started it runs here and now. */
void pool_submit(struct pool *pool, struct job *job);

/* Calls `done` of every job that has run, in the order in which they ended. */
void pool_collect(struct pool *pool);

/* Waits for all jobs, collects them, ends the threads. NULL is a no-op. */
void pool_free(struct pool *pool);

#endif
