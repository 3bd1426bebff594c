/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads partitions of one topic from one node, with a fetch session or without. Where to begin is
 * asked by ListOffsets where it is not known.
 */
#ifndef SIM_FETCHER_H
#define SIM_FETCHER_H

#include "sim/contact.h"

#define FETCHER_PARTITIONS_MAX 64

/* An offset that has to be asked for. */
#define OFFSET_UNKNOWN (-1)

struct fetch_partition {
    int32_t index;
    int64_t offset;         /* the next one to read; OFFSET_UNKNOWN */
    int64_t high_watermark; /* OFFSET_UNKNOWN until a reply told it */
    bool is_told;           /* the session has it as it is */
    uint32_t leader;        /* the node whose fetcher has it; 0: none */
    int32_t leader_epoch;   /* that requests name; -1: none */
};

/* How a fetcher asks. */
struct fetch_ways {
    int16_t version;
    bool uses_sessions;
    bool names_epochs; /* of the leaders, as metadata told them */
    bool is_small;     /* few bytes at a time */
    int32_t max_wait_ms;
};

struct fetcher {
    struct contact *contact; /* NULL: it has never had a partition */
    struct span topic;       /* borrowed */
    struct uuid topic_id;
    struct fetch_ways ways;
    struct fetch_partition *partitions[FETCHER_PARTITIONS_MAX]; /* the reader's */
    uint32_t count;
    int32_t session_id;
    int32_t session_epoch; /* -1: none */
    bool asked;
    bool is_stale;   /* what it asked is of partitions that it had before */
    bool has_failed; /* the last reply had an error that metadata may explain */
};

/* Versions, sizes and waits, drawn by the client's chance. */
struct fetch_ways fetch_ways_draw(struct client *client, bool uses_sessions);

/* Reads those of these partitions from now on whose leader is the contact's node; what was asked
 * before counts no more. */
void fetcher_set(struct fetcher *fetcher, struct uuid topic_id, struct fetch_partition *partitions,
                 uint32_t count);

/* Asks, unless it has asked already or there is nothing to read; the contact is OPEN. */
void fetcher_ask(struct fetcher *fetcher);

/* Takes a reply, or the loss of a request, if it is the fetcher's own. */
bool fetcher_received(struct fetcher *fetcher, const struct exchange *exchange);
bool fetcher_lost(struct fetcher *fetcher, const struct exchange *exchange);

#endif
