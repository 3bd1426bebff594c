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

#define REPLAY_TEXT_BYTES 1024

enum replay_result {
    REPLAY_SAME,     /* to the end of the record */
    REPLAY_DIVERGED, /* the core asked for something else than it did when it was recorded */
    REPLAY_REFUSED,  /* it is no flight record, or damaged */
};

struct replay {
    struct span program; /* the version of chronik that wrote the record; borrowed from it */
    uint64_t events;     /* that were delivered; the last one's number, when it diverged */
    uint64_t effects;
    uint64_t duration_us; /* between the first and the last event */
    uint64_t digest;      /* over all of them */
    enum trace_ending ending;
    uint64_t torn_bytes;          /* of a last chunk that was not written whole */
    char text[REPLAY_TEXT_BYTES]; /* what is wrong, unless it is the same */
};

/* Steps a new core through the record. `codecs` are borrowed; memory comes from `allocator`. */
enum replay_result replay_record(struct span record, struct allocator allocator,
                                 const struct codecs *codecs, struct replay *ret_replay);

#endif
