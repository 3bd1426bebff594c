/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads partitions of one topic, each from the node that leads it: what consumers, members of
 * groups and the auditor have in common. Who leads is learned from Metadata, by whoever owns the
 * reader.
 *
 *     reader ── partitions with their offsets
 *        └── fetchers, one a node ──▶ the partitions that it leads
 */
#ifndef SIM_READER_H
#define SIM_READER_H

#include "sim/contacts.h"
#include "sim/fetcher.h"

/* A member of the client. */
struct reader {
    struct contacts *contacts;
    struct span topic; /* borrowed */
    struct uuid topic_id;
    struct fetch_ways ways;
    struct fetch_partition partitions[FETCHER_PARTITIONS_MAX];
    uint32_t count;
    struct fetcher fetchers[SIM_HOSTS_MAX]; /* by node id - 1 */
    struct uuid learned_id;                 /* of the topic of which the following is known */
    uint32_t leaders[FETCHER_PARTITIONS_MAX];
    int32_t leader_epochs[FETCHER_PARTITIONS_MAX];
    bool has_failed; /* the last reply had an error that metadata may explain */
};

/* A reader of no partitions. */
void reader_init(struct reader *reader, struct contacts *contacts, struct span topic,
                 bool uses_sessions);

/* Takes in who leads the topic's partitions; those that are read go to their leaders. */
void reader_learn(struct reader *reader, const struct metadata_response_topic *topic);

/* Reads these partitions from now on, from `offset`; what was asked before counts no more. */
void reader_set(struct reader *reader, struct uuid topic_id, const int32_t *partitions,
                uint32_t count, int64_t offset);

/* Asks each node that leads something and has answered what it was asked, as far as there are
 * connections. */
void reader_ask(struct reader *reader);

/* Takes a reply, or the loss of a request, if it is the reader's own. */
bool reader_received(struct reader *reader, const struct exchange *exchange);
bool reader_lost(struct reader *reader, const struct exchange *exchange);

/* True when nobody leads some of the partitions, as far as was learned. */
bool reader_is_leaderless(const struct reader *reader);

/* True when everything was read up to the high watermark. */
bool reader_is_at_end(const struct reader *reader);

#endif
