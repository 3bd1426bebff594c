/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who votes: KIP-853's VotersRecord, a control record of the log, in Kafka's layout. A voter is a
 * node with one data folder: one whose disk was wiped is another voter, and no longer votes.
 */
#ifndef CORE_RAFT_VOTERS_H
#define CORE_RAFT_VOTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/list.h"
#include "core/base/span.h"
#include "core/wire/messages.h"

#define RAFT_VOTERS_MAX       16
#define RAFT_ENDPOINTS_MAX    8                   /* of a voter */
#define RAFT_VOTERS_BYTES_MAX ((size_t)32 * 1024) /* of a record: a snapshot's batch has room */

struct raft_id {
    int32_t node;
    struct uuid directory;
};

static inline bool raft_id_equal(struct raft_id a, struct raft_id b)
{
    return a.node == b.node && uuid_equal(a.directory, b.directory);
}

/* One set of voters: record.voters, record.voters_count of them, each with voter_id,
 * voter_directory_id and endpoints. */
struct raft_voters {
    struct list place;
    int64_t offset; /* of the record; RAFT_VOTERS_SEEDED: as configured, in no log yet */
    struct arena arena;
    struct voters_record record;
};

#define RAFT_VOTERS_SEEDED (-1)

/* A set that owns all it has. Errors: ERR_CORRUPT_MESSAGE for a value that is no voters record,
 * names a node twice, or passes a limit. */
int raft_voters_decode(struct memory *memory, int64_t offset, struct span value,
                       struct raft_voters **ret_voters);

/* The same for what the caller has as a struct. */
int raft_voters_copy(struct memory *memory, int64_t offset, const struct voters_record *record,
                     struct raft_voters **ret_voters);

void raft_voters_free(struct raft_voters *voters);

/* The voter with this node and this directory, or with this node and any; NULL. */
const struct voters_record_voter *raft_voters_find(const struct raft_voters *voters,
                                                   struct raft_id id);
const struct voters_record_voter *raft_voters_find_node(const struct raft_voters *voters,
                                                        int32_t node);

static inline struct raft_id raft_voter_id(const struct voters_record_voter *voter)
{
    return (struct raft_id){voter->voter_id, voter->voter_directory_id};
}

#endif
