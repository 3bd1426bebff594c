/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller: every change of metadata is a proposal, and proposals are taken one after the
 * other. Each sees the image that all before it have made, and its records count only when they are
 * durable.
 */
#ifndef CORE_META_CONTROLLER_H
#define CORE_META_CONTROLLER_H

#include <stdbool.h>

#include "core/base/list.h"
#include "core/meta/image.h"
#include "core/meta/quorum.h"
#include "core/meta/writer.h"

struct controller;

/* A change that somebody wants; a member of whoever waits for it, or freed by `done`. */
struct meta_proposal {
    struct list place;
    /* Judges the proposal by `image` and writes its records. With an error, or without a record,
     * `done` follows at once and nothing changes. */
    int (*prepare)(struct meta_proposal *proposal, const struct image *image,
                   struct meta_writer *writer);
    /* The records are durable and applied; or the error of `prepare`. ERR_KAFKA_STORAGE_ERROR: they
     * could not be written, or this node's metadata failed and nobody can tell.
     * ERR_REQUEST_TIMED_OUT: they may be applied or not, the image says what there is. */
    void (*done)(struct meta_proposal *proposal, int error);
};

/* See quorum_new(). */
struct controller *controller_new(struct io *io, const struct quorum_options *options);

/* Builds the image from the metadata WAL, see quorum_boot(). Proposals wait until then. */
void controller_boot(struct controller *controller, struct log_waiter *waiter);

/* Queues `proposal`. Its functions are called in this step or in later ones, but never from inside
 * this call. */
void controller_propose(struct controller *controller, struct meta_proposal *proposal);

/* Nobody waits for `proposal` any more: neither of its functions will be called. What it has
 * written already happens all the same. */
void controller_cancel(struct controller *controller, struct meta_proposal *proposal);

/* Told, inside a step, when this node may lead now, or no longer. */
struct controller_watcher {
    struct list place;
    void (*changed)(struct controller_watcher *watcher);
};

void controller_watch(struct controller *controller, struct controller_watcher *watcher);

/* This node's part in the quorum, for who brings it messages. */
struct quorum *controller_quorum(const struct controller *controller);

/* True when the metadata WAL failed for good: every proposal gets ERR_KAFKA_STORAGE_ERROR. */
bool controller_has_failed(const struct controller *controller);

/* Refuses what is queued with ERR_KAFKA_STORAGE_ERROR, ends the WAL in order, wakes `waiter`. */
void controller_close(struct controller *controller, struct log_waiter *waiter);

/* Frees it without touching the disk; proposals are their owners'. */
void controller_free(struct controller *controller);

#endif
