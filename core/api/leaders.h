/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that tell a client who leads, and where to go instead (KIP-951). */
#ifndef CORE_API_LEADERS_H
#define CORE_API_LEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"

struct broker;
struct meta_topic;
struct request;

/* ERR_NONE when clients of the request's listener can reach this leader; ERR_LEADER_NOT_AVAILABLE
 * (nobody leads), ERR_LISTENER_NOT_FOUND (KIP-226). */
int leader_check(const struct broker *broker, const struct request *request, int32_t leader);

/* The leaders that one answer names, each once. Lies in the request's arena, its brokers in the
 * image: both are good until the answer is encoded. */
struct leaders {
    const struct broker *broker;
    struct request *request;
    const struct meta_broker **brokers;
    uint32_t count;
};

/* An answer to `request`. */
void leaders_begin(struct leaders *leaders, const struct broker *broker, struct request *request);

/* Where an answer with `error` for a partition of `topic` (NULL: there is none) has to name its
 * leader: *ret_leader (META_NO_LEADER: nobody leads) and *ret_epoch, as the image has them. Else
 * they stay as they are. */
void leaders_tell(struct leaders *leaders, const struct meta_topic *topic, int32_t partition,
                  int error, int32_t *ret_leader, int32_t *ret_epoch);

/* One of the named leaders, as clients of the request's listener reach it. */
struct leader_address {
    int32_t node_id;
    struct span host;
    int32_t port;
    struct span rack; /* may be null */
};

struct leader_address leaders_address(const struct leaders *leaders, uint32_t number);

#endif
