/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incremental fetch sessions (KIP-227): the partitions that a consumer reads, kept between its
 * requests, so that requests name only what changes and answers only what is new.
 */
#ifndef CORE_FETCH_SESSIONS_H
#define CORE_FETCH_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/wire/messages.h"

struct broker;
struct fetch_sessions;

/* Partitions of one fetch, or of one session. */
#define FETCH_PARTITIONS_MAX 100000

/* One partition to be read. */
struct fetch_target {
    struct span topic; /* by name up to version 12, else */
    struct uuid topic_id;
    int32_t index;
    int32_t current_leader_epoch;
    int64_t offset;
    int32_t max_bytes;
    int64_t seen_high_watermark; /* what the session's last answer said; -1: nothing */
    int64_t seen_log_start;
};

/* What one request is to read. */
struct fetch_plan {
    struct fetch_target *targets; /* in the request's arena */
    uint32_t count;
    int32_t session_id; /* 0: none */
    bool incremental;   /* what the session has seen already is left out of the answer */
};

/* Sessions under the limits of the broker's settings. Never NULL. */
struct fetch_sessions *fetch_sessions_new(struct broker *broker);

/* Gives all memory back; NULL is a no-op. */
void fetch_sessions_free(struct fetch_sessions *sessions);

/* Makes the plan of a request, creating, changing or ending the session that it names. Errors:
 * ERR_FETCH_SESSION_ID_NOT_FOUND, ERR_INVALID_FETCH_SESSION_EPOCH, ERR_INVALID_REQUEST (a limit),
 * ERR_ARENA_FULL. */
int fetch_sessions_plan(struct fetch_sessions *sessions, const struct fetch_request *request,
                        int16_t version, struct arena *arena, struct fetch_plan *ret_plan);

/* Notes what the answer to a plan says of one of its partitions. `error`: it is told again next
 * time. `has_records`: the partition goes behind the others, so that each has its turn. */
void fetch_sessions_answered(struct fetch_sessions *sessions, int32_t session_id,
                             const struct fetch_target *target, int16_t error,
                             int64_t high_watermark, int64_t log_start, bool has_records);

#endif
