/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/image.h"

#include "core/base/check.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"

void image_init(struct image *image, struct memory *memory, uint64_t seed)
{
    *image = (struct image){.memory = memory, .epoch = -1};
    map_init(&image->topics_by_name, memory, seed);
    map_init(&image->topics_by_id, memory, seed);
    list_init(&image->observers);
}

static struct meta_topic *topic_of(struct map_node *by_name)
{
    return by_name == NULL ? NULL : container_of(by_name, struct meta_topic, by_name);
}

static bool lists_are_inline(uint32_t replicas_count, uint32_t isr_count)
{
    return replicas_count + isr_count <= META_REPLICAS_INLINE;
}

static void partition_clear(struct image *image, struct meta_partition *partition)
{
    if (!lists_are_inline(partition->replicas_count, partition->isr_count))
        memory_give(image->memory, MEMORY_STATE, partition->many,
                    (partition->replicas_count + partition->isr_count) * sizeof(int32_t));
}

static void config_clear(struct image *image, struct topic_override *config)
{
    /* The one block that holds both texts. */
    void *block = (void *)(uintptr_t)config->key.data;
    memory_give(image->memory, MEMORY_STATE, block, config->key.length + config->value.length);
}

static void topic_free(struct image *image, struct meta_topic *topic)
{
    for (int32_t i = 0; i < topic->partitions_count; i++)
        partition_clear(image, &topic->partitions[i]);
    memory_give(image->memory, MEMORY_STATE, topic->partitions,
                topic->partitions_capacity * sizeof(*topic->partitions));
    for (uint32_t i = 0; i < topic->configs_count; i++)
        config_clear(image, &topic->configs[i]);
    memory_give(image->memory, MEMORY_STATE, topic->configs,
                topic->configs_capacity * sizeof(*topic->configs));
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
}

void image_observe(struct image *image, struct image_observer *observer)
{
    list_append(&image->observers, &observer->place);
}

static void image_notify(struct image *image, const struct image_change *change)
{
    struct list *place;
    struct list *next;
    list_each(&image->observers, place, next)
    {
        struct image_observer *observer = container_of(place, struct image_observer, place);
        observer->changed(observer, change);
    }
}

static struct meta_topic *topic_find(const struct image *image, struct span name)
{
    uint8_t folded[META_TOPIC_NAME_MAX];
    struct meta_topic *topic =
        topic_of(map_find(&image->topics_by_name, image_fold_name(name, folded)));
    return topic != NULL && span_equal(topic->name, name) ? topic : NULL;
}

static struct meta_topic *topic_find_by_id(const struct image *image, struct uuid id)
{
    struct map_node *node = map_find(&image->topics_by_id, span_of(id.bytes, sizeof(id.bytes)));
    return node == NULL ? NULL : container_of(node, struct meta_topic, by_id);
}

/* Where the broker with this id is, or would be. */
static uint32_t broker_place(const struct image *image, int32_t id)
{
    uint32_t place = 0;
    while (place < image->brokers_count && image->brokers[place].id < id)
        place++;
    return place;
}

static struct span text_copy(uint8_t **at, struct span text)
{
    if (span_is_null(text))
        return SPAN_NULL;
    memcpy(*at, text.data, text.length);
    const struct span copy = span_of(*at, text.length);
    *at += text.length;
    return copy;
}

/* Endpoints and rack of a registration, in one block. */
static void broker_fill(struct image *image, struct meta_broker *broker,
                        const struct register_broker_record *record)
{
    const size_t endpoints_bytes = (size_t)record->end_points_count * sizeof(*broker->endpoints);
    size_t bytes = endpoints_bytes + record->rack.length + 1;
    for (int32_t i = 0; i < record->end_points_count; i++)
        bytes += record->end_points[i].name.length + record->end_points[i].host.length;
    broker->block_bytes = bytes;
    broker->endpoints = memory_take(image->memory, MEMORY_STATE, bytes);
    broker->endpoints_count = (uint32_t)record->end_points_count;
    uint8_t *at = (uint8_t *)broker->endpoints + endpoints_bytes;
    for (uint32_t i = 0; i < broker->endpoints_count; i++) {
        broker->endpoints[i] = (struct meta_endpoint){
            .listener = text_copy(&at, record->end_points[i].name),
            .host = text_copy(&at, record->end_points[i].host),
            .port = record->end_points[i].port,
            .security_protocol = record->end_points[i].security_protocol,
        };
    }
    broker->rack = text_copy(&at, record->rack);
    broker->id = record->broker_id;
    broker->epoch = record->broker_epoch;
    broker->incarnation = record->incarnation_id;
    broker->fenced = record->fenced;
}

/* No process appends under a leader epoch of an earlier process: what a broker led before it
 * started anew it leads under a higher epoch. ERR_INVALID_RECORD, with nothing changed, when a
 * partition has none left. */
static int raise_epochs(struct image *image, int32_t broker_id)
{
    if (!image_epochs_can_rise(image, broker_id))
        return ERR_INVALID_RECORD;
    struct map_node *node = image->topics_by_name.first;
    for (; node != NULL; node = map_next(node)) {
        struct meta_topic *topic = topic_of(node);
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            if (topic->partitions[i].leader != broker_id)
                continue;
            topic->partitions[i].leader_epoch++;
            topic->partitions[i].partition_epoch++;
        }
    }
    return ERR_NONE;
}

static bool registration_is_sound(const struct register_broker_record *record)
{
    if (record->broker_id < 0 || record->broker_epoch < 0 || record->end_points_count < 0 ||
        record->end_points_count > META_ENDPOINTS_MAX ||
        record->rack.length > META_ENDPOINT_TEXT_MAX)
        return false;
    for (int32_t i = 0; i < record->end_points_count; i++) {
        if (record->end_points[i].name.length > META_ENDPOINT_TEXT_MAX ||
            record->end_points[i].host.length > META_ENDPOINT_TEXT_MAX)
            return false;
    }
    return true;
}

static int apply_register_broker(struct image *image, const struct register_broker_record *record)
{
    const uint32_t place = broker_place(image, record->broker_id);
    const bool known =
        place < image->brokers_count && image->brokers[place].id == record->broker_id;
    if (!registration_is_sound(record))
        return ERR_INVALID_RECORD;
    bool same_process = false;
    if (known) {
        const struct meta_broker *before = &image->brokers[place];
        same_process = uuid_equal(before->incarnation, record->incarnation_id);
        if (record->broker_epoch <= before->epoch)
            return ERR_INVALID_RECORD;
    } else if (image->brokers_count >= META_BROKERS_MAX) {
        return ERR_INVALID_RECORD;
    }
    const int error = known && !same_process ? raise_epochs(image, record->broker_id) : ERR_NONE;
    if (error != ERR_NONE)
        return error;
    if (known) {
        memory_give(image->memory, MEMORY_STATE, image->brokers[place].endpoints,
                    image->brokers[place].block_bytes);
    } else {
        image->brokers = memory_grow(image->memory, image->brokers, &image->brokers_capacity,
                                     image->brokers_count + 1, sizeof(*image->brokers));
        memmove(&image->brokers[place + 1], &image->brokers[place],
                (image->brokers_count - place) * sizeof(*image->brokers));
        image->brokers_count++;
    }
    broker_fill(image, &image->brokers[place], record);
    image_notify(image, &(struct image_change){.kind = IMAGE_BROKER_REGISTERED,
                                               .broker = &image->brokers[place]});
    return ERR_NONE;
}

static int apply_topic(struct image *image, const struct topic_record *record)
{
    const char *why;
    if (topic_check_name(record->name, &why) != ERR_NONE || uuid_is_zero(record->topic_id) ||
        image_topic_alike(image, record->name) != NULL ||
        topic_find_by_id(image, record->topic_id) != NULL)
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
    struct meta_topic *topic = topic_find_by_id(image, record->topic_id);
    if (topic == NULL)
        return ERR_INVALID_RECORD;
    topic_unlink(image, topic);
    image_notify(image, &(struct image_change){.kind = IMAGE_TOPIC_REMOVED, .topic = topic});
    topic_free(image, topic);
    return ERR_NONE;
}

static bool is_member(const int32_t *list, int32_t count, int32_t id)
{
    for (int32_t i = 0; i < count; i++) {
        if (list[i] == id)
            return true;
    }
    return false;
}

static bool has_doubles(const int32_t *list, int32_t count)
{
    for (int32_t i = 1; i < count; i++) {
        if (is_member(list, i, list[i]))
            return true;
    }
    return false;
}

static bool is_subset(const int32_t *list, int32_t count, const int32_t *of, int32_t of_count)
{
    for (int32_t i = 0; i < count; i++) {
        if (!is_member(of, of_count, list[i]))
            return false;
    }
    return true;
}

/* Sets both lists, which must not lie in the partition's own memory. */
static void partition_set_lists(struct image *image, struct meta_partition *partition,
                                const int32_t *replicas, int32_t replicas_count, const int32_t *isr,
                                int32_t isr_count)
{
    partition_clear(image, partition);
    partition->replicas_count = (uint16_t)replicas_count;
    partition->isr_count = (uint16_t)isr_count;
    int32_t *lists = partition->few;
    if (!lists_are_inline(partition->replicas_count, partition->isr_count)) {
        lists = memory_take(image->memory, MEMORY_STATE,
                            (size_t)(replicas_count + isr_count) * sizeof(int32_t));
        partition->many = lists;
    }
    memcpy(lists, replicas, (size_t)replicas_count * sizeof(int32_t));
    memcpy(lists + replicas_count, isr, (size_t)isr_count * sizeof(int32_t));
}

static bool partition_record_is_sound(const struct partition_record *record)
{
    return record->replicas_count > 0 && record->replicas_count <= META_REPLICAS_MAX &&
           record->isr_count > 0 && record->isr_count <= record->replicas_count &&
           !has_doubles(record->replicas, record->replicas_count) &&
           !has_doubles(record->isr, record->isr_count) &&
           is_subset(record->isr, record->isr_count, record->replicas, record->replicas_count) &&
           (record->leader == META_NO_LEADER ||
            is_member(record->replicas, record->replicas_count, record->leader)) &&
           !is_member(record->replicas, record->replicas_count, META_NO_LEADER) &&
           record->leader_epoch >= 0 && record->partition_epoch >= 0;
}

/* Room for one more, without memory_grow's first steps: most topics have few partitions. */
static void partitions_grow(struct image *image, struct meta_topic *topic)
{
    if ((uint32_t)topic->partitions_count < topic->partitions_capacity)
        return;
    const uint32_t capacity = topic->partitions_capacity == 0 ? 1 : 2 * topic->partitions_capacity;
    struct meta_partition *partitions =
        memory_take(image->memory, MEMORY_STATE, capacity * sizeof(*partitions));
    if (topic->partitions_count > 0)
        memcpy(partitions, topic->partitions,
               (size_t)topic->partitions_count * sizeof(*partitions));
    memory_give(image->memory, MEMORY_STATE, topic->partitions,
                topic->partitions_capacity * sizeof(*partitions));
    topic->partitions = partitions;
    topic->partitions_capacity = capacity;
}

static int apply_partition(struct image *image, const struct partition_record *record)
{
    struct meta_topic *topic = topic_find_by_id(image, record->topic_id);
    /* Reassignments and unclean elections do not exist yet: what the image cannot hold is not
     * passed over in silence. */
    if (record->removing_replicas_count > 0 || record->adding_replicas_count > 0 ||
        record->leader_recovery_state != 0)
        return ERR_UNSUPPORTED_VERSION;
    if (topic == NULL || record->partition_id != topic->partitions_count ||
        image->partitions_count >= META_PARTITIONS_MAX || !partition_record_is_sound(record))
        return ERR_INVALID_RECORD;
    partitions_grow(image, topic);
    struct meta_partition *partition = &topic->partitions[topic->partitions_count++];
    image->partitions_count++;
    *partition = (struct meta_partition){
        .leader = record->leader,
        .leader_epoch = record->leader_epoch,
        .partition_epoch = record->partition_epoch,
    };
    partition_set_lists(image, partition, record->replicas, record->replicas_count, record->isr,
                        record->isr_count);
    image_notify(image, &(struct image_change){.kind = IMAGE_PARTITION_ADDED,
                                               .topic = topic,
                                               .partition = record->partition_id});
    return ERR_NONE;
}

static int apply_partition_change(struct image *image, const struct partition_change_record *record)
{
    struct meta_topic *topic = topic_find_by_id(image, record->topic_id);
    if (topic == NULL || record->partition_id < 0 ||
        record->partition_id >= topic->partitions_count)
        return ERR_INVALID_RECORD;
    struct meta_partition *partition = &topic->partitions[record->partition_id];
    int32_t replicas[META_REPLICAS_MAX];
    const int32_t replicas_count = partition->replicas_count;
    memcpy(replicas, meta_replicas(partition), (size_t)replicas_count * sizeof(int32_t));
    const bool isr_changes = record->isr_count >= 0;
    const bool leader_changes = record->leader != META_LEADER_UNCHANGED;
    if (!meta_epochs_can_rise(partition) ||
        (isr_changes && (record->isr_count == 0 || record->isr_count > replicas_count ||
                         has_doubles(record->isr, record->isr_count) ||
                         !is_subset(record->isr, record->isr_count, replicas, replicas_count))) ||
        (leader_changes && record->leader != META_NO_LEADER &&
         !is_member(replicas, replicas_count, record->leader)))
        return ERR_INVALID_RECORD;
    if (isr_changes)
        partition_set_lists(image, partition, replicas, replicas_count, record->isr,
                            record->isr_count);
    if (leader_changes) {
        partition->leader = record->leader;
        partition->leader_epoch++;
    }
    partition->partition_epoch++;
    image_notify(image, &(struct image_change){.kind = IMAGE_PARTITION_CHANGED,
                                               .topic = topic,
                                               .partition = record->partition_id});
    return ERR_NONE;
}

/* Where the key is, or would be. */
static uint32_t config_place(const struct meta_topic *topic, struct span key)
{
    uint32_t place = 0;
    while (place < topic->configs_count && span_compare(topic->configs[place].key, key) < 0)
        place++;
    return place;
}

static struct topic_override *config_find(const struct meta_topic *topic, struct span key)
{
    const uint32_t place = config_place(topic, key);
    return place < topic->configs_count && span_equal(topic->configs[place].key, key)
               ? &topic->configs[place]
               : NULL;
}

static void config_insert(struct image *image, struct meta_topic *topic, struct span key,
                          struct span value)
{
    const uint32_t place = config_place(topic, key);
    topic->configs = memory_grow(image->memory, topic->configs, &topic->configs_capacity,
                                 topic->configs_count + 1, sizeof(*topic->configs));
    memmove(&topic->configs[place + 1], &topic->configs[place],
            (topic->configs_count - place) * sizeof(*topic->configs));
    topic->configs_count++;
    uint8_t *at = memory_take(image->memory, MEMORY_STATE, key.length + value.length);
    topic->configs[place].key = text_copy(&at, key);
    topic->configs[place].value = text_copy(&at, value);
}

static void config_remove(struct image *image, struct meta_topic *topic,
                          struct topic_override *config)
{
    config_clear(image, config);
    topic->configs_count--;
    const size_t place = (size_t)(config - topic->configs);
    memmove(config, config + 1, (topic->configs_count - place) * sizeof(*config));
}

static int apply_config(struct image *image, const struct config_record *record)
{
    if (record->resource_type != META_RESOURCE_TOPIC)
        return ERR_UNSUPPORTED_VERSION;
    struct meta_topic *topic = topic_find(image, record->resource_name);
    if (topic == NULL || record->name.length == 0 || record->name.length > META_CONFIG_KEY_MAX ||
        record->value.length > META_CONFIG_VALUE_MAX)
        return ERR_INVALID_RECORD;
    struct topic_override *before = config_find(topic, record->name);
    if (before == NULL && topic->configs_count >= META_CONFIGS_MAX)
        return ERR_INVALID_RECORD;
    if (before != NULL)
        config_remove(image, topic, before);
    if (!span_is_null(record->value))
        config_insert(image, topic, record->name, record->value);
    image_notify(image, &(struct image_change){.kind = IMAGE_CONFIG_CHANGED, .topic = topic});
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
    switch (record->type) {
    case META_RECORD_REGISTER_BROKER:
        return apply_register_broker(image, &record->body.register_broker);
    case META_RECORD_TOPIC:
        return apply_topic(image, &record->body.topic);
    case META_RECORD_PARTITION:
        return apply_partition(image, &record->body.partition);
    case META_RECORD_CONFIG:
        return apply_config(image, &record->body.config);
    case META_RECORD_PARTITION_CHANGE:
        return apply_partition_change(image, &record->body.partition_change);
    case META_RECORD_REMOVE_TOPIC:
        return apply_remove_topic(image, &record->body.remove_topic);
    case META_RECORD_PRODUCER_IDS:
        return apply_producer_ids(image, &record->body.producer_ids);
    }
    return ERR_UNSUPPORTED_VERSION;
}
