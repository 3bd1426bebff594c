/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A story that a judge is told by hand: a world with one machine that never runs, or three of a
 * cluster, whose disks and replies are whatever the test makes them.
 */
#ifndef TESTS_SIM_STORY_H
#define TESTS_SIM_STORY_H

#include "core/meta/record.h"
#include "sim/judge.h"
#include "tests/support/runner.h"

#define STORY_NODES 3 /* of a cluster */

struct story {
    struct scenario scenario;
    struct sim sim;
    struct host *host; /* that the story is about */
    struct memory memory;
    struct arena arena; /* everything that lives as long as the story */
    int64_t wal_end;
    uint8_t topics;
};

/* A world that this judge alone looks at, or several of them. */
void story_begin(struct story *story, const struct judge_kind *kind);
void story_end(struct story *story);

/* The same with three machines of a cluster, whose processes have applied whatever is committed.
 * The story is about the first, until story_at() goes to another. */
void story_begin_cluster(struct story *story, const struct judge_kind *kind);
void story_at(struct story *story, uint32_t node);

/* True while nobody has objected. */
bool story_passes(const struct story *story);

/* What the judge objected with contains `part`. */
bool story_objects(const struct story *story, const char *part);

/* A topic becomes durable in the machine's metadata (in a cluster it is committed), with one
 * setting of its own (NULL: none); or it goes. */
struct uuid story_topic(struct story *story, const char *name, int32_t partitions, const char *key,
                        const char *value);
void story_topic_goes(struct story *story, struct uuid id);

/* Any record becomes durable there. */
void story_metadata(struct story *story, const struct meta_record *record);

/* The first `count` nodes are the voters from now on, with the disks that they have: committed, and
 * durable on all nodes. */
void story_voters(struct story *story, uint32_t count);

/* The machine's disk is taken out for an empty one. */
void story_empty_disk(struct story *story);

/* Writes at the end of a file, which comes with its folder: into the page cache, and (`durable`) to
 * the device. */
void story_write(struct story *story, const char *path, struct span bytes, bool durable);

/* The file is cut to `length`, on the device too. */
void story_cut(struct story *story, const char *path, size_t length);

/* The file is removed, on the device too. */
void story_remove(struct story *story, const char *folder, const char *name);

/* A batch of `count` records with values that follow from `seed`, at a place in a log. */
struct span story_batch(struct story *story, int64_t base_offset, int32_t count, uint8_t seed);
/* One record in a batch. */
struct span story_record(struct story *story, int64_t base_offset, struct span key,
                         struct span value);
struct span story_join(struct story *story, struct span a, struct span b);

/* A request of the API and its reply, with their defaults; both live as long as the story. */
struct exchange *story_exchange(struct story *story, int16_t api_key, int16_t version);
void *story_take(struct story *story, size_t size);
#define story_request(exchange, name)  ((struct name *)(uintptr_t)(exchange)->request)
#define story_response(exchange, name) ((struct name *)(uintptr_t)(exchange)->response)

/* It is asked now; its reply leaves now. */
void story_ask(struct story *story, struct exchange *exchange);
void story_reply(struct story *story, struct exchange *exchange);
/* Both, one after the other. */
void story_exchanged(struct story *story, struct exchange *exchange);

/* A Produce of one batch to one partition, and its reply with `base_offset` and no error. */
struct exchange *story_produce(struct story *story, const char *topic, int32_t index, int16_t acks,
                               struct span batch, int64_t base_offset);
/* A Fetch of one partition, and its reply. */
struct exchange *story_fetch(struct story *story, const char *topic, int32_t index, int64_t offset,
                             struct span records, int64_t high_watermark);

/* The machine's process takes one step: an event, and what it asks for (ids are the test's). */
void story_step(struct story *story, struct event event, const struct effect *effects,
                uint32_t count);

/* A broker that never took a step, for judges of inner state. */
void story_broker(struct story *story);

/* The disk keeps what is durable, and judges hear of it before. */
void story_power_loss(struct story *story);
void story_phase(struct story *story, enum sim_phase phase);

#endif
