/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file quorum-state of the data folder with the metadata log: the term that this node has seen,
 * and for whom it voted in it. Both have to be durable before it answers anybody, or a node that
 * came back could vote twice in a term (thesis 3.8).
 *
 * It has two places, written in turn: one sync makes a vote durable, and a full disk, or a write
 * that a power loss tears, cannot touch the one before. Each place is, in network order:
 *
 *     magic "CHRONIKV", version (4 bytes), CRC-32C of what follows (4),
 *     sequence (8), term (4), voted node (4), voted directory (16), own directory (16)
 */
#ifndef CORE_META_QUORUM_STATE_H
#define CORE_META_QUORUM_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io.h"
#include "core/raft/raft.h"

#define QUORUM_STATE_FILE "quorum-state"

/* The places do not share a sector, or a page. */
#define QUORUM_STATE_PLACE_BYTES 4096
#define QUORUM_STATE_FILE_BYTES  (2 * QUORUM_STATE_PLACE_BYTES)

struct quorum_state {
    /* In */
    struct io *io;
    uint32_t folder;       /* number of the data folder */
    struct uuid directory; /* whose votes these are */
    /* What was asked for is done: ERR_NONE. Or an error: of loading, logged with file and mend; of
     * storing, after which the vote may be durable or not, and is to be stored again. */
    void (*done)(struct quorum_state *state, int error);
    /* Out */
    bool has_vote; /* the file was there */
    struct raft_vote_state vote;
    /* Its own */
    struct op op;
    uint64_t file;
    uint64_t sequence; /* of the newest place; the lowest bit says which it is */
    bool is_open;
    bool is_new;      /* the file is being written, and not a place in it */
    bool has_failed;  /* to store: the next time it is a new file */
    bool is_doubtful; /* what was read may not be on the disk */
    int error;
    struct piece piece;
    uint8_t *block; /* QUORUM_STATE_FILE_BYTES */
};

/* Reads the file, if there is one: whether the vote is durable is not known before it is stored
 * again. ERR_CORRUPT_MESSAGE when neither place is whole, or the votes
 * are those of another folder (a copied disk). */
void quorum_state_load(struct quorum_state *state);

/* Makes `vote` durable. Nothing else is under way. */
void quorum_state_store(struct quorum_state *state, const struct raft_vote_state *vote);

/* Closes the file; nothing is under way. `done` follows. */
void quorum_state_close(struct quorum_state *state);

/* Gives back what it holds, without touching the disk. */
void quorum_state_free(struct quorum_state *state);

#endif
