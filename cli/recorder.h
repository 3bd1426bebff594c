/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the flight record of a broker (core/trace/record.h): stands between the loop and the core,
 * and writes down every event before the core sees it, and what came of it afterwards.
 *
 * What is recorded is gathered and written in large pieces to the page cache; no device is waited
 * for. A process that ends by a fault of its own writes the rest first; one that is killed loses
 * what it did in the last tenth of a second. When the record may not grow any more, or cannot be
 * written, that is logged once, and the broker goes on without.
 */
#ifndef CLI_RECORDER_H
#define CLI_RECORDER_H

#include "cli/logger.h"
#include "core/conf/conf.h"
#include "core/effect.h"
#include "core/event.h"

struct recorder;

struct recorder_options {
    struct span path;
    uint64_t bytes_max; /* of the file */
    const struct conf *conf;
    const struct logger *logger;

    /* The core, as broker_step(). */
    void (*step)(void *core, const struct event *event, struct effects *effects);
    void *core;
};

/* Starts a record; a file of that name is kept as `path`.old. Options are borrowed. NULL when it
 * cannot be made: errno says why. One at a time in a process. */
struct recorder *recorder_new(const struct recorder_options *options);

/* Steps the core, and records that. `recorder` is a struct recorder. */
void recorder_step(void *context, const struct event *event, struct effects *effects);

/* Writes what is left and ends the record. NULL is a no-op. */
void recorder_free(struct recorder *recorder);

#endif
