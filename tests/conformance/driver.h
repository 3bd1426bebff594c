/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can carry out effects: the real drivers and each of their twins. The same stories are told
 * to all of them, and core/effect.h is the judge where two of them differ. To add a twin: a file
 * with its functions, and a line for it in conformance.c.
 */
#ifndef TESTS_CONFORMANCE_DRIVER_H
#define TESTS_CONFORMANCE_DRIVER_H

#include "core/effect.h"
#include "core/event.h"

/* A client's end of a connection, from 0. */
typedef uint32_t peer;

/* Paths are relative to data folder 0. `state` is what start() gave. */
struct conformance_driver {
    /* An empty data folder, nothing listening. Whatever happens from now on is told by
     * conformance_completed() and conformance_accepted(). */
    void *(*start)(void);
    void (*end)(void *state);

    void (*perform)(void *state, const struct effect *effect);
    /* Lets a little time go by. */
    void (*wait)(void *state);

    /* Clients. */
    peer (*connect)(void *state, uint32_t listener, uint16_t port);
    void (*send)(void *state, peer from, struct span bytes);
    /* It reads nothing for now, or all that comes again. */
    void (*pause)(void *state, peer paused, bool pause);
    /* It ends the connection in order. */
    void (*close)(void *state, peer closed);
    /* Everything that it has received so far; whether that is all that ever comes. */
    struct span (*received)(void *state, peer by, bool *ret_ended);

    /* Files as another program sees them. A null span: there is no such file. */
    struct span (*file)(void *state, const char *path);
    void (*put_file)(void *state, const char *path, struct span bytes);
    void (*put_folder)(void *state, const char *path);

    /* Effects of `kind` fail with `error` until mend(). False when it cannot arrange that. */
    bool (*make_fail)(void *state, enum effect_kind kind, int error);
    void (*mend)(void *state);

    /* The device ends no sync of a file until it is released. */
    void (*hold_syncs)(void *state);
    void (*release_syncs)(void *state);
};

/* What a driver tells. Entries are copied. */
void conformance_completed(const struct completion *completion);
void conformance_accepted(uint64_t connection, uint32_t listener);

extern const struct conformance_driver conformance_real;      /* net/ and disk/ */
extern const struct conformance_driver conformance_disturbed; /* … with harmless faults */
extern const struct conformance_driver conformance_in_order;  /* tests/support/world.h */
extern const struct conformance_driver conformance_reversed;
extern const struct conformance_driver conformance_shuffled;
extern const struct conformance_driver conformance_simulated; /* sim/ */

#endif
