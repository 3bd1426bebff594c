/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/image.h"

#include "core/meta/image_internal.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"

void image_init(struct image *image, struct memory *memory, uint64_t seed)
{
    *image = (struct image){.memory = memory, .epoch = -1};
    map_init(&image->topics_by_name, memory, seed);
    map_init_trusted(&image->topics_by_id, memory, seed);
    list_init(&image->observers);
}

static struct meta_topic *topic_of(struct map_node *by_name)
{
    return by_name == NULL ? NULL : container_of(by_name, struct meta_topic, by_name);
}

static void topic_free(struct image *image, struct meta_topic *topic)
{
    for (int32_t i = 0; i < topic->partitions_count; i++)
        image_partition_clear(image, &topic->partitions[i]);
    memory_give(image->memory, MEMORY_STATE, topic->partitions,
                topic->partitions_capacity * sizeof(*topic->partitions));
    image_configs_clear(image, &topic->configs);
    memory_give(image->memory, MEMORY_STATE, topic, sizeof(*topic) + 2 * topic->name.length);
}

static void topic_unlink(struct image *image, struct meta_topic *topic)
{
    map_remove(&image->topics_by_name, &topic->by_name);
    map_remove(&image->topics_by_id, &topic->by_id);
    image->partitions_count -= topic->partitions_count;
}

void image_free(struct image *image)
{
    struct map_node *node;
    while ((node = image->topics_by_name.first) != NULL) {
        struct meta_topic *topic = topic_of(node);
        topic_unlink(image, topic);
        topic_free(image, topic);
    }
    map_clear(&image->topics_by_name);
    map_clear(&image->topics_by_id);
    for (uint32_t i = 0; i < image->brokers_count; i++)
        memory_give(image->memory, MEMORY_STATE, image->brokers[i].endpoints,
                    image->brokers[i].block_bytes);
    memory_give(image->memory, MEMORY_STATE, image->brokers,
                image->brokers_capacity * sizeof(*image->brokers));
    image_configs_clear(image, &image->configs);
    image_configs_clear(image, &image->by_file);
    image_configs_clear(image, &image->by_operator);
}

void image_observe(struct image *image, struct image_observer *observer)
{
    list_append(&image->observers, &observer->place);
}

void image_notify(struct image *image, const struct image_change *change)
{
    struct list *place;
    struct list *next;
    list_each(&image->observers, place, next)
    {
        struct image_observer *observer = container_of(place, struct image_observer, place);
        observer->changed(observer, change);
    }
}

struct meta_topic *image_find_topic(const struct image *image, struct span name)
{
    uint8_t folded[META_TOPIC_NAME_MAX];
    struct meta_topic *topic =
        topic_of(map_find(&image->topics_by_name, image_fold_name(name, folded)));
    return topic != NULL && span_equal(topic->name, name) ? topic : NULL;
}

struct meta_topic *image_find_topic_by_id(const struct image *image, struct uuid id)
{
    struct map_node *node = map_find(&image->topics_by_id, span_of(id.bytes, sizeof(id.bytes)));
    return node == NULL ? NULL : container_of(node, struct meta_topic, by_id);
}

static int apply_topic(struct image *image, const struct topic_record *record)
{
    const char *why;
    if (topic_check_name(record->name, &why) != ERR_NONE || uuid_is_zero(record->topic_id) ||
        image_topic_alike(image, record->name) != NULL ||
        image_find_topic_by_id(image, record->topic_id) != NULL)
        return ERR_INVALID_RECORD;
    const size_t length = record->name.length;
    struct meta_topic *topic =
        memory_take(image->memory, MEMORY_STATE, sizeof(*topic) + 2 * length);
    uint8_t *texts = (uint8_t *)(topic + 1);
    memcpy(texts, record->name.data, length);
    topic->name = span_of(texts, length);
    topic->id = record->topic_id;
    map_add(&image->topics_by_name, &topic->by_name, image_fold_name(topic->name, texts + length));
    map_add(&image->topics_by_id, &topic->by_id, span_of(topic->id.bytes, sizeof(topic->id.bytes)));
    image_notify(image, &(struct image_change){.kind = IMAGE_TOPIC_ADDED, .topic = topic});
    return ERR_NONE;
}

static int apply_remove_topic(struct image *image, const struct remove_topic_record *record)
{
    struct meta_topic *topic = image_find_topic_by_id(image, record->topic_id);
    if (topic == NULL)
        return ERR_INVALID_RECORD;
    topic_unlink(image, topic);
    image_notify(image, &(struct image_change){.kind = IMAGE_TOPIC_REMOVED, .topic = topic});
    topic_free(image, topic);
    return ERR_NONE;
}

static int apply_producer_ids(struct image *image, const struct producer_ids_record *record)
{
    if (record->next_producer_id < image->next_producer_id)
        return ERR_INVALID_RECORD;
    image->next_producer_id = record->next_producer_id;
    return ERR_NONE;
}

int image_apply(struct image *image, const struct meta_record *record)
{
    const union meta_record_body *body = &record->body;
    switch (record->type) {
    case META_RECORD_REGISTER_BROKER:
        return image_apply_register_broker(image, &body->register_broker);
    case META_RECORD_UNREGISTER_BROKER:
        return image_apply_unregister_broker(image, &body->unregister_broker);
    case META_RECORD_REGISTRATION_CHANGE:
        return image_apply_registration_change(image, &body->registration_change);
    case META_RECORD_TOPIC:
        return apply_topic(image, &body->topic);
    case META_RECORD_PARTITION:
        return image_apply_partition(image, &body->partition);
    case META_RECORD_CONFIG:
        return image_apply_config(image, &body->config);
    case META_RECORD_PARTITION_CHANGE:
        return image_apply_partition_change(image, &body->partition_change);
    case META_RECORD_REMOVE_TOPIC:
        return apply_remove_topic(image, &body->remove_topic);
    case META_RECORD_PRODUCER_IDS:
        return apply_producer_ids(image, &body->producer_ids);
    }
    return ERR_UNSUPPORTED_VERSION;
}
