/* SPDX-License-Identifier: Apache-2.0 */
/* The topics of which this broker hosts partitions, by their ids. */
#ifndef CORE_HOSTED_TOPICS_H
#define CORE_HOSTED_TOPICS_H

#include <stdint.h>

#include "core/base/map.h"
#include "core/base/uuid.h"
#include "core/conf/topic_conf.h"

struct broker;
struct meta_topic;
struct partition;

struct hosted_topic {
    struct map_node node; /* by id, in the broker's */
    struct uuid id;
    struct topic_conf conf; /* as the image and this node's settings have it */
    uint32_t partitions_capacity;
    struct partition **partitions; /* NULL where nothing asked yet */
};

/* The topic with this id, or NULL when nothing of it is hosted. */
struct hosted_topic *hosted_topic_find(const struct broker *broker, struct uuid id);

/* The topic, hosted from now on if it was not, with room for all partitions that the image knows.
 * Never NULL; the broker owns it. */
struct hosted_topic *hosted_topic_open(struct broker *broker, const struct meta_topic *topic);

/* Takes the topic, whose partitions are gone, out of the broker's, and frees it. */
void hosted_topic_close(struct broker *broker, struct hosted_topic *hosted);

#endif
