/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop that joins the core with the real world: what net/ and disk/ report enters the core as
 * events, and what the core asks of the world goes to net/ and disk/.
 *
 * A turn: sleep until something happens; deliver all that did; carry out what was asked for;
 * deliver what that gave at once (what was received, above all); end the turn; carry out its
 * writes, syncs and sends. While completions wait, the next turn begins without a look at the
 * sockets, a few times at most, so that a produce request is received, written and answered after
 * one sleep.
 */
#ifndef CLI_LOOP_H
#define CLI_LOOP_H

#include <stdint.h>

#include "cli/logger.h"
#include "core/effect.h"
#include "core/event.h"
#include "disk/disk.h"

/* Listener numbers that the core may name. */
#define LOOP_LISTENERS_MAX 64

struct loop;

struct loop_options {
    /* The core, as broker_step(). */
    void (*step)(void *core, const struct event *event, struct effects *effects);
    void *core;
    struct memory *memory; /* for the list of effects; outlives the loop */
    int send_buffer_bytes; /* socket.send.buffer.bytes */

    const struct logger *logger;

    /* EFFECT_READY: every listener serves; loop_port() tells where. */
    void (*ready)(void *context, const struct loop *loop);
    void *context;
};

/* A loop without data folders. Takes SIGINT, SIGTERM and SIGHUP as the wish to end, ignores
 * SIGPIPE, and allows this process as many descriptors as it may have. NULL with errno set when the
 * system refuses. One at a time in a process. */
struct loop *loop_new(const struct loop_options *options);

/* The loop's disk, for disk_add_folder(). */
struct disk *loop_disk(struct loop *loop);

/* Has the loop look at one more descriptor, level-triggered, and call `ready` when it can be read,
 * between steps of the core. It stays open until the loop runs no more. Returns 0, or -1 with
 * errno. */
int loop_add_source(struct loop *loop, int fd, void (*ready)(void *context), void *context);

/* Runs the core from EVENT_START to EFFECT_STOPPED. The first signal is delivered as EVENT_STOP,
 * the next one ends the process at once. Returns true when the core ended in order. */
bool loop_run(struct loop *loop);

/* The port that a listener of the core's has; 0 before EFFECT_LISTEN completed. */
uint16_t loop_port(const struct loop *loop, uint32_t listener);

/* Waits for what is under way on the disk, closes everything. NULL is a no-op. */
void loop_free(struct loop *loop);

#endif
