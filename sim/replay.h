/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does again what a broker did that kept a flight record (core/trace/record.h): the same core takes
 * the same events, and has to ask for the same effects. What they ask for happened long ago; how it
 * ended is in the record.
 */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "core/records/codec.h"
#include "core/trace/record.h"
#include "sim/sim.h"

#define REPLAY_TEXT_BYTES 1024

enum replay_result {
    REPLAY_SAME,     /* to the end of the record */
    REPLAY_DIVERGED, /* the core asked for something else than it did when it was recorded */
    REPLAY_REFUSED,  /* it is no flight record, or damaged */
};

struct replay {
    struct span program; /* the version of chronik that wrote the record; borrowed from it */
    uint64_t events;     /* that were delivered */
    uint64_t effects;
    uint64_t differences; /* events that ended differently */
    uint64_t duration_us; /* between the first and the last event */
    uint64_t digest;      /* over all of them */
    enum trace_ending ending;
    uint64_t torn_bytes;          /* of a last chunk that was not written whole */
    char text[REPLAY_TEXT_BYTES]; /* what is wrong, unless it is the same */
};

struct replay_options {
    const struct codecs *codecs; /* borrowed */

    /* Told of every event that ends differently, after which the replay goes on as if it had not;
     * NULL: it ends with the first one. */
    void (*differs)(void *context, const char *text);
    void *context;

    /* Told of every event, effect and message, as of a run of the simulator with this one machine;
     * NULL: nobody. */
    const struct sim_sink *sink;
    void *sink_context;
};

/* Steps a new core through the record. */
enum replay_result replay_record(struct span record, const struct replay_options *options,
                                 struct replay *ret_replay);

#endif
