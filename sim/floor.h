/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number that only grows, as clients are told it. Replies may overtake one another on different
 * connections, so that a reply has to be at least what left before its own request was made.
 */
#ifndef SIM_FLOOR_H
#define SIM_FLOOR_H

#include <stdint.h>

#define FLOOR_STEPS 8

struct floor {
    struct floor_step {
        uint64_t number; /* the trace's, of the reply that told it */
        int64_t value;
    } steps[FLOOR_STEPS]; /* both rise */
    uint32_t count;
};

#define FLOOR_NONE INT64_MIN

/* A reply with the trace's number `number` told `value`. */
void floor_told(struct floor *floor, uint64_t number, int64_t value);

/* The least that the reply to a request with the trace's number `asked` may tell. */
int64_t floor_at(const struct floor *floor, uint64_t asked);

/* The most that was ever told; FLOOR_NONE: nothing. */
int64_t floor_top(const struct floor *floor);

/* It may have gone back to `value`. */
void floor_lower(struct floor *floor, int64_t value);

#endif
