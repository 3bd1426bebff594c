/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the image. */
#include "core/meta/image_internal.h"

static const struct meta_topic *topic_of(struct map_node *by_name)
{
    return by_name == NULL ? NULL : container_of(by_name, struct meta_topic, by_name);
}

struct span image_fold_name(struct span name, uint8_t *out)
{
    if (name.length > META_TOPIC_NAME_MAX)
        return SPAN_NULL;
    if (name.length == 0 || memchr(name.data, '.', name.length) == NULL)
        return name;
    for (size_t i = 0; i < name.length; i++)
        out[i] = name.data[i] == '.' ? '_' : name.data[i];
    return span_of(out, name.length);
}

const struct meta_topic *image_topic_alike(const struct image *image, struct span name)
{
    uint8_t folded[META_TOPIC_NAME_MAX];
    const struct span key = image_fold_name(name, folded);
    return span_is_null(key) ? NULL : topic_of(map_find(&image->topics_by_name, key));
}

const struct meta_topic *image_topic(const struct image *image, struct span name)
{
    const struct meta_topic *topic = image_topic_alike(image, name);
    return topic != NULL && span_equal(topic->name, name) ? topic : NULL;
}

const struct meta_topic *image_topic_by_id(const struct image *image, struct uuid id)
{
    struct map_node *node = map_find(&image->topics_by_id, span_of(id.bytes, sizeof(id.bytes)));
    return node == NULL ? NULL : container_of(node, struct meta_topic, by_id);
}

const struct meta_partition *image_partition(const struct meta_topic *topic, int32_t partition)
{
    return partition >= 0 && partition < topic->partitions_count ? &topic->partitions[partition]
                                                                 : NULL;
}

const struct meta_broker *image_broker(const struct image *image, int32_t id)
{
    for (uint32_t i = 0; i < image->brokers_count; i++) {
        if (image->brokers[i].id == id)
            return &image->brokers[i];
    }
    return NULL;
}

struct span meta_config(const struct meta_configs *configs, struct span key)
{
    for (uint32_t i = 0; i < configs->count; i++) {
        if (span_equal(configs->items[i].key, key))
            return configs->items[i].value;
    }
    return SPAN_NULL;
}

struct span image_topic_config(const struct meta_topic *topic, struct span key)
{
    return meta_config(&topic->configs, key);
}

const struct meta_endpoint *image_endpoint(const struct meta_broker *broker, struct span listener)
{
    for (uint32_t i = 0; i < broker->endpoints_count; i++) {
        if (span_equal(broker->endpoints[i].listener, listener))
            return &broker->endpoints[i];
    }
    return NULL;
}

const struct meta_topic *image_first_topic(const struct image *image)
{
    return topic_of(image->topics_by_name.first);
}

const struct meta_topic *image_next_topic(const struct meta_topic *topic)
{
    return topic_of(map_next(&topic->by_name));
}

size_t meta_lists_length(const struct meta_partition *partition)
{
    return (size_t)partition->replicas_count + partition->isr_count + partition->elr_count +
           partition->has_last_known_leader;
}

const int32_t *meta_replicas(const struct meta_partition *partition)
{
    return meta_lists_length(partition) <= META_REPLICAS_INLINE ? partition->few : partition->many;
}

const int32_t *meta_isr(const struct meta_partition *partition)
{
    return meta_replicas(partition) + partition->replicas_count;
}

const int32_t *meta_elr(const struct meta_partition *partition)
{
    return meta_isr(partition) + partition->isr_count;
}

int32_t meta_last_known_leader(const struct meta_partition *partition)
{
    return partition->has_last_known_leader ? meta_elr(partition)[partition->elr_count]
                                            : META_NO_LEADER;
}

bool meta_is_member(const int32_t *list, uint32_t count, int32_t broker_id)
{
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == broker_id)
            return true;
    }
    return false;
}

void image_topic_rules(const struct image *image, const struct meta_topic *topic,
                       struct topic_conf_agreed *ret_rules)
{
    topic_conf_agree(topic->configs.items, topic->configs.count, image->configs.items,
                     image->configs.count, ret_rules);
}

uint64_t image_session_timeout_ms(const struct image *image)
{
    return (uint64_t)conf_agreed(CONF_BROKER_SESSION_TIMEOUT_MS, image->configs.items,
                                 image->configs.count);
}

uint32_t meta_isr_least(uint32_t min_insync_replicas, uint32_t replicas_count)
{
    return min_insync_replicas < replicas_count ? min_insync_replicas : replicas_count;
}

bool meta_broker_is_live(const struct meta_broker *broker)
{
    return !broker->fenced && !broker->is_shutting_down;
}

uint32_t image_live_brokers(const struct image *image)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < image->brokers_count; i++)
        count += meta_broker_is_live(&image->brokers[i]);
    return count;
}

bool meta_epochs_can_rise(const struct meta_partition *partition)
{
    return partition->leader_epoch < INT32_MAX && partition->partition_epoch < INT32_MAX;
}

bool image_epochs_can_rise(const struct image *image, int32_t broker_id)
{
    const struct meta_topic *topic = image_first_topic(image);
    for (; topic != NULL; topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            const struct meta_partition *partition = &topic->partitions[i];
            if (!meta_epochs_can_rise(partition) &&
                meta_is_member(meta_replicas(partition), partition->replicas_count, broker_id))
                return false;
        }
    }
    return true;
}
