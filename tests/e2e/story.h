/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that tests/kafka_bytes sends: a topic and a group from their beginning to their end,
 * once a round, each round with names of its own. */
#ifndef TESTS_E2E_STORY_H
#define TESTS_E2E_STORY_H

#include <stdbool.h>

#include "core/base/arena.h"

/* What later requests of a round take from earlier answers. Texts live in the arena. */
struct story {
    struct arena *arena;
    struct span topic;
    struct span group;
    struct span member;
    int32_t generation_id;
    struct uuid topic_id;
    uint8_t features_epoch[8]; /* as on the wire */
};

/* One request. */
struct story_step {
    int16_t api_key;
    /* What its answer has to carry as the first error code that is not 0, from a version on. */
    int16_t error;
    int16_t error_version_min;
    bool shows_error; /* there is no answer to capture without that error */
    void (*ask)(struct story *story, void *request);          /* NULL: the defaults will do */
    void (*learn)(struct story *story, const void *response); /* NULL: nothing */
};

extern const struct story_step story_steps[];
extern const unsigned story_steps_count;

/* Begins the round of that number; `arena` was reset. */
void story_begin(struct story *story, struct arena *arena, int round);

#endif
