/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hosted_topics.h"

#include "core/broker_state.h"
#include "core/meta/image.h"

struct hosted_topic *hosted_topic_find(const struct broker *broker, struct uuid id)
{
    struct map_node *node = map_find(&broker->hosted, span_of(id.bytes, sizeof(id.bytes)));
    return node == NULL ? NULL : container_of(node, struct hosted_topic, node);
}

struct hosted_topic *hosted_topic_open(struct broker *broker, const struct meta_topic *topic)
{
    struct hosted_topic *hosted = hosted_topic_find(broker, topic->id);
    if (hosted == NULL) {
        hosted = memory_new(&broker->memory, struct hosted_topic);
        hosted->id = topic->id;
        broker_topic_conf(broker, topic, &hosted->conf);
        map_add(&broker->hosted, &hosted->node,
                span_of(hosted->id.bytes, sizeof(hosted->id.bytes)));
    }
    const uint32_t count = hosted->partitions_capacity;
    hosted->partitions =
        memory_grow(&broker->memory, hosted->partitions, &hosted->partitions_capacity,
                    (uint32_t)topic->partitions_count, sizeof(struct partition *));
    memset(hosted->partitions + count, 0,
           (hosted->partitions_capacity - count) * sizeof(struct partition *));
    return hosted;
}

void hosted_topic_close(struct broker *broker, struct hosted_topic *hosted)
{
    memory_give(&broker->memory, MEMORY_STATE, hosted->partitions,
                hosted->partitions_capacity * sizeof(struct partition *));
    map_remove(&broker->hosted, &hosted->node);
    memory_give(&broker->memory, MEMORY_STATE, hosted, sizeof(*hosted));
}
