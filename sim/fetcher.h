/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads partitions of one topic, with a fetch session or without: what consumers, members of groups
 * and the auditor have in common. Where to begin is asked by ListOffsets where it is not known.
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
};

struct fetcher {
    struct contact *contact;
    struct span topic; /* borrowed */
    struct uuid topic_id;
    struct fetch_partition partitions[FETCHER_PARTITIONS_MAX];
    uint32_t count;
    int16_t version;
    bool uses_sessions;
    int32_t session_id;
    int32_t session_epoch; /* -1: none */
    int32_t max_wait_ms;
    bool is_small; /* asks for few bytes at a time */
    bool asked;
    bool is_stale;   /* what it asked is of partitions that it had before */
    bool has_failed; /* the last reply had an error that metadata may explain */
};

/* A fetcher of no partitions; versions, sizes and waits are drawn by the client's chance. */
void fetcher_init(struct fetcher *fetcher, struct contact *contact, struct span topic,
                  bool uses_sessions);

/* Reads these partitions from now on, from `offset`; what was asked before counts no more. */
void fetcher_set(struct fetcher *fetcher, struct uuid topic_id, const int32_t *partitions,
                 uint32_t count, int64_t offset);

/* Asks, unless it has asked already or there is nothing to read; the contact is OPEN. */
void fetcher_ask(struct fetcher *fetcher);

/* Takes a reply, or the loss of a request, if it is the fetcher's own. */
bool fetcher_received(struct fetcher *fetcher, const struct exchange *exchange);
bool fetcher_lost(struct fetcher *fetcher, const struct exchange *exchange);

/* True when everything was read up to the high watermark. */
bool fetcher_is_at_end(const struct fetcher *fetcher);

#endif
