/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the nodes of a cluster have committed of their metadata: the batches that they write to
 * their logs, as far as any of them has applied them. Who applied something else there is seen by
 * sim/judge_quorum.c and sim/judge_metadata.c.
 */
#ifndef SIM_COMMITTED_H
#define SIM_COMMITTED_H

#include "sim/host.h"

#define COMMITTED_VOTERS_MAX 16

/* Who votes, as a voters record of the log has it. */
struct voter_set {
    struct {
        int32_t node;
        struct uuid directory;
    } voters[COMMITTED_VOTERS_MAX];
    uint32_t count;
};

/* Reads who votes of a batch; false when it has no record of voters. `memory` is lent for that. */
bool voter_set_read(struct memory *memory, struct span batch, struct voter_set *ret_voters);

/* True for a segment of the metadata log, of whatever node. */
bool is_of_metadata_log(struct span path);

struct committed;

struct committed *committed_new(const struct sim *sim);
void committed_free(struct committed *committed);

/* A node has taken a step, of which the effects are still there. */
void committed_stepped(struct committed *committed, const struct host *host);

/* The batch with this number, counted from 0, in the order of offsets; null when it is not there
 * yet. Borrowed for ever. */
struct span committed_batch(const struct committed *committed, uint32_t number);

/* The sets of voters that may be in force: number 0 is the one that is committed, the others are
 * what anybody has written since. False past the last, and while none is committed. */
bool committed_voters(const struct committed *committed, uint32_t number,
                      struct voter_set *ret_voters);

/* The trace's number when anybody last wrote a batch that may name voters; 0: never. */
uint64_t committed_voters_number(const struct committed *committed);

/* Another disk came into the machine: what it wrote to the one before is not there. */
void committed_forget(struct committed *committed, const struct host *host);

/* True when a batch was applied that nobody was seen to write: then nothing can be said. */
bool committed_is_blind(const struct committed *committed);

#endif
