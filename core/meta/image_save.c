/* SPDX-License-Identifier: Apache-2.0 */
/* The image as the records that build it again. */
#include "core/base/check.h"
#include "core/meta/image_internal.h"
#include "core/wire/error.h"

/* One record at a time is encoded for the digest; a registration is the largest. */
#define DIGEST_ARENA_BYTES_MAX ((size_t)1024 * 1024)

/* Where records go, and the first error on the way. */
struct sink {
    void *context;
    int (*write)(void *context, const struct meta_record *record);
    int error;
};

static void sink_put(struct sink *sink, const struct meta_record *record)
{
    if (sink->error == ERR_NONE)
        sink->error = sink->write(sink->context, record);
}

static void save_broker(const struct meta_broker *broker, struct sink *sink)
{
    struct register_broker_record_end_point end_points[META_ENDPOINTS_MAX];
    for (uint32_t i = 0; i < broker->endpoints_count; i++) {
        end_points[i] = (struct register_broker_record_end_point){
            .name = broker->endpoints[i].listener,
            .host = broker->endpoints[i].host,
            .port = broker->endpoints[i].port,
            .security_protocol = broker->endpoints[i].security_protocol,
        };
    }
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = broker->id;
    record.body.register_broker.incarnation_id = broker->incarnation;
    record.body.register_broker.broker_epoch = broker->epoch;
    record.body.register_broker.end_points = end_points;
    record.body.register_broker.end_points_count = (int32_t)broker->endpoints_count;
    record.body.register_broker.rack = broker->rack;
    record.body.register_broker.log_dirs = broker->directories;
    record.body.register_broker.log_dirs_count = (int32_t)broker->directories_count;
    record.body.register_broker.fenced = broker->fenced;
    record.body.register_broker.in_controlled_shutdown = broker->is_shutting_down;
    sink_put(sink, &record);
}

static void save_partition(const struct meta_topic *topic, int32_t index, struct sink *sink)
{
    const struct meta_partition *partition = &topic->partitions[index];
    int32_t lists[2 * META_REPLICAS_MAX]; /* nobody is both in sync and eligible */
    int32_t last_known = meta_last_known_leader(partition);
    memcpy(lists, meta_replicas(partition), meta_lists_length(partition) * sizeof(int32_t));
    struct meta_record record = meta_record_of(META_RECORD_PARTITION);
    record.body.partition.partition_id = index;
    record.body.partition.topic_id = topic->id;
    record.body.partition.replicas = lists;
    record.body.partition.replicas_count = partition->replicas_count;
    record.body.partition.isr = lists + partition->replicas_count;
    record.body.partition.isr_count = partition->isr_count;
    record.body.partition.leader = partition->leader;
    record.body.partition.leader_epoch = partition->leader_epoch;
    record.body.partition.partition_epoch = partition->partition_epoch;
    record.body.partition.leader_recovery_state = partition->is_recovering;
    if (partition->elr_count > 0) {
        record.body.partition.eligible_leader_replicas =
            lists + partition->replicas_count + partition->isr_count;
        record.body.partition.eligible_leader_replicas_count = partition->elr_count;
    }
    if (last_known != META_NO_LEADER) {
        record.body.partition.last_known_elr = &last_known;
        record.body.partition.last_known_elr_count = 1;
    }
    sink_put(sink, &record);
}

static void save_configs(const struct meta_configs *configs, int8_t type, struct span name,
                         struct sink *sink)
{
    for (uint32_t i = 0; i < configs->count; i++) {
        struct meta_record record = meta_record_of(META_RECORD_CONFIG);
        record.body.config.resource_type = type;
        record.body.config.resource_name = name;
        record.body.config.name = configs->items[i].key;
        record.body.config.value = configs->items[i].value;
        sink_put(sink, &record);
    }
}

/* The setting once more, as it was and as it is. */
static void save_caching(const struct image *image, const struct meta_topic *topic,
                         struct sink *sink)
{
    struct topic_conf_agreed rules;
    image_topic_rules(image, topic, &rules);
    if (!topic->was_cached || rules.write_caching)
        return;
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = META_RESOURCE_TOPIC;
    record.body.config.resource_name = topic->name;
    record.body.config.name = SPAN("write.caching");
    record.body.config.value = SPAN("true");
    sink_put(sink, &record);
    record.body.config.value = image_topic_config(topic, record.body.config.name);
    sink_put(sink, &record);
}

static void save_topic(const struct image *image, const struct meta_topic *topic, struct sink *sink)
{
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    record.body.topic.name = topic->name;
    record.body.topic.topic_id = topic->id;
    sink_put(sink, &record);
    save_configs(&topic->configs, META_RESOURCE_TOPIC, topic->name, sink);
    for (int32_t i = 0; i < topic->partitions_count && sink->error == ERR_NONE; i++)
        save_partition(topic, i, sink);
    save_caching(image, topic, sink);
}

int image_save(const struct image *image, void *context,
               int (*write)(void *context, const struct meta_record *record))
{
    struct sink sink = {.context = context, .write = write};
    for (uint32_t i = 0; i < image->brokers_count; i++)
        save_broker(&image->brokers[i], &sink);
    save_configs(&image->by_file, META_RESOURCE_BROKER, META_BROKERS_BY_FILE, &sink);
    save_configs(&image->by_operator, META_RESOURCE_BROKER, META_BROKERS_BY_OPERATOR, &sink);
    if (image->next_producer_id > 0) {
        struct meta_record record = meta_record_of(META_RECORD_PRODUCER_IDS);
        record.body.producer_ids.broker_id = -1;
        record.body.producer_ids.next_producer_id = image->next_producer_id;
        sink_put(&sink, &record);
    }
    const struct meta_topic *topic = image_first_topic(image);
    for (; topic != NULL && sink.error == ERR_NONE; topic = image_next_topic(topic))
        save_topic(image, topic, &sink);
    return sink.error;
}

struct digest {
    uint64_t value;
    struct arena arena;
};

/* FNV-1a (Fowler, Noll, Vo), over the length and the bytes of each record. */
static int digest_add(void *context, const struct meta_record *record)
{
    struct digest *digest = context;
    const struct span frame = meta_record_encode(record, &digest->arena);
    CHECK(!span_is_null(frame));
    digest->value = (digest->value ^ frame.length) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < frame.length; i++)
        digest->value = (digest->value ^ frame.data[i]) * UINT64_C(0x100000001b3);
    arena_reset(&digest->arena);
    return ERR_NONE;
}

uint64_t image_digest(const struct image *image)
{
    struct digest digest = {.value = UINT64_C(0xcbf29ce484222325)};
    arena_init(&digest.arena, image->memory, MEMORY_STATE, DIGEST_ARENA_BYTES_MAX);
    image_save(image, &digest, digest_add);
    return digest.value;
}
