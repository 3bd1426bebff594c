/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an OffsetCommit or a SyncGroup is answered, its record in __consumer_offsets would survive a
 * power loss at that very moment: the group comes back as it was, with the offset. In a cluster
 * that is so on every replica that is in sync then.
 */
#include "core/base/crc32c.h"
#include "core/coord/coordinator.h"
#include "core/coord/record.h"
#include "core/records/record.h"
#include "sim/durable_log.h"
#include "sim/judge.h"
#include "sim/parts.h"

#define ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define VALUES_KEPT     8  /* commits of one key that may have been under way together */
#define TOPIC_IDS       10 /* OffsetCommit names topics by id from this version on */

/* One partition of __consumer_offsets. */
struct offsets_log {
    struct map_node node;
    struct partition_key key;
    struct durable_log log;
};

/* What is durable of one commit, or of a group (no topic, partition −1). */
struct entry {
    struct map_node node;
    size_t key_bytes;
    struct value {
        int64_t offset; /* of a group: its generation */
        uint32_t metadata;
    } values[VALUES_KEPT]; /* a ring */
    uint32_t count;
    uint8_t key[];
};

struct commits {
    struct map shards;
    struct map entries;
    struct arena arena;
};

static void begin(struct judge *judge)
{
    struct commits *commits = judge->state;
    map_init(&commits->shards, &judge->memory, 0);
    map_init(&commits->entries, &judge->memory, 0);
    arena_init(&commits->arena, &judge->memory, MEMORY_STATE, ARENA_BYTES_MAX);
}

static struct offsets_log *shard_of(struct judge *judge, const struct partition_key *key)
{
    struct commits *commits = judge->state;
    struct map_node *node = map_find(&commits->shards, span_of(key, sizeof(*key)));
    if (node != NULL)
        return container_of(node, struct offsets_log, node);
    struct offsets_log *shard = memory_new(&judge->memory, struct offsets_log);
    shard->key = *key;
    durable_log_init(&shard->log, SPAN(COORDINATOR_TOPIC), key->index);
    map_add(&commits->shards, &shard->node, span_of(&shard->key, sizeof(shard->key)));
    return shard;
}

static struct entry *entry_of(struct judge *judge, uint32_t disk, struct span group,
                              struct span topic, int32_t partition)
{
    struct commits *commits = judge->state;
    const uint32_t head[] = {disk, (uint32_t)partition, (uint32_t)group.length};
    const size_t bytes = sizeof(head) + group.length + topic.length;
    struct entry *entry = memory_take(&judge->memory, MEMORY_STATE, sizeof(*entry) + bytes);
    entry->key_bytes = bytes;
    memcpy(entry->key, head, sizeof(head));
    if (group.length > 0)
        memcpy(entry->key + sizeof(head), group.data, group.length);
    if (topic.length > 0)
        memcpy(entry->key + sizeof(head) + group.length, topic.data, topic.length);
    struct map_node *node = map_find(&commits->entries, span_of(entry->key, bytes));
    if (node != NULL) {
        memory_give(&judge->memory, MEMORY_STATE, entry, sizeof(*entry) + bytes);
        return container_of(node, struct entry, node);
    }
    map_add(&commits->entries, &entry->node, span_of(entry->key, bytes));
    return entry;
}

static void entry_add(struct entry *entry, struct value value)
{
    entry->values[entry->count++ % VALUES_KEPT] = value;
}

static bool entry_has(const struct entry *entry, struct value value)
{
    const uint32_t count = entry->count < VALUES_KEPT ? entry->count : VALUES_KEPT;
    for (uint32_t i = 0; i < count; i++) {
        if (entry->values[i].offset == value.offset && entry->values[i].metadata == value.metadata)
            return true;
    }
    return false;
}

static struct value value_of(int64_t offset, struct span metadata)
{
    return (struct value){offset, crc32c(0, metadata.data, metadata.length)};
}

static void take_record(struct judge *judge, uint32_t disk, const struct record *record)
{
    struct commits *commits = judge->state;
    struct coord_entry read;
    if (record_read(record->key, record->value, &commits->arena, &read) == 0 && !read.deleted) {
        if (read.kind == COORD_RECORD_OFFSET)
            entry_add(entry_of(judge, disk, read.group_id, read.topic, read.partition),
                      value_of(read.offset.offset, read.offset.metadata));
        else if (read.kind == COORD_RECORD_GROUP)
            entry_add(entry_of(judge, disk, read.group_id, SPAN_NULL, -1),
                      value_of(read.group.generation, SPAN_NULL));
    }
    arena_reset(&commits->arena);
}

static void read_all(struct judge *judge, struct offsets_log *shard, const struct files *files)
{
    bool again = false;
    for (;;) {
        struct span batch;
        struct batch_info info;
        struct record_cursor cursor;
        struct record record;
        const enum durable_found found = durable_log_next(&shard->log, files, &batch, &info);
        if (found == DURABLE_END || (found == DURABLE_GONE && again))
            return;
        if (found == DURABLE_GONE) {
            again = true;
            durable_log_rewind(&shard->log);
            continue;
        }
        if (record_cursor_open(batch, NULL, 0, NULL, &cursor) != 0)
            continue;
        while (record_next(&cursor, &record))
            take_record(judge, shard->key.host, &record);
    }
}

/* Reads the partition that the group belongs to on this disk; false when nothing can be said of
 * it. */
static bool read_group(struct judge *judge, const struct exchange *exchange, struct span group,
                       const struct disk_view *disk)
{
    const struct durable *durable = judge_durable(judge, exchange->host);
    const struct image *image = durable_image(durable);
    const struct meta_topic *topic =
        image == NULL ? NULL : image_topic(image, SPAN(COORDINATOR_TOPIC));
    if (topic == NULL || topic->partitions_count == 0 || durable_is_cached(durable, topic->id))
        return false;
    const struct partition_key key = {
        disk->number, coordinator_partition(group, topic->partitions_count), topic->id};
    read_all(judge, shard_of(judge, &key), disk->files);
    judge->judged++;
    return true;
}

/* ---- Replies. ---- */

static const struct offset_commit_request_topic_partition *
commit_asked(const struct offset_commit_request *request, bool by_id,
             const struct offset_commit_response_topic *topic, int32_t partition)
{
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct offset_commit_request_topic *in = &request->topics[i];
        if (by_id ? !uuid_equal(in->topic_id, topic->topic_id) : !span_equal(in->name, topic->name))
            continue;
        for (int32_t j = 0; j < in->partitions_count; j++) {
            if (in->partitions[j].partition_index == partition)
                return &in->partitions[j];
        }
    }
    return NULL;
}

static void judge_commit(struct judge *judge, const struct exchange *exchange,
                         const struct host *host, uint32_t disk, struct span topic,
                         const struct offset_commit_request_topic_partition *in)
{
    const struct offset_commit_request *request = exchange->request;
    const struct entry *entry =
        entry_of(judge, disk, request->group_id, topic, in->partition_index);
    if (entry_has(entry, value_of(in->committed_offset, in->committed_metadata)))
        return;
    judge_object(judge,
                 "group %.*s, %.*s-%d: the commit of offset %lld is acknowledged, but a power loss "
                 "of %s now would leave no record of it",
                 (int)request->group_id.length, (const char *)request->group_id.data,
                 (int)topic.length, (const char *)topic.data, in->partition_index,
                 (long long)in->committed_offset, host->name);
}

static void commit_replied(struct judge *judge, const struct exchange *exchange,
                           const struct host *host, const struct disk_view *disk)
{
    const struct offset_commit_request *request = exchange->request;
    const struct offset_commit_response *response = exchange->response;
    const bool by_id = exchange->version >= TOPIC_IDS;
    if (!read_group(judge, exchange, request->group_id, disk))
        return;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct offset_commit_response_topic *topic = &response->topics[i];
        struct span name = topic->name;
        if (by_id) {
            const struct meta_topic *meta =
                durable_topic(judge_durable(judge, exchange->host), SPAN_NULL, topic->topic_id, 0);
            if (meta == NULL)
                continue;
            name = meta->name;
        }
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            const struct offset_commit_request_topic_partition *in =
                commit_asked(request, by_id, topic, topic->partitions[j].partition_index);
            if (topic->partitions[j].error_code == 0 && in != NULL)
                judge_commit(judge, exchange, host, disk->number, name, in);
        }
    }
}

static void sync_replied(struct judge *judge, const struct exchange *exchange,
                         const struct host *host, const struct disk_view *disk)
{
    const struct sync_group_request *request = exchange->request;
    const struct sync_group_response *response = exchange->response;
    if (response->error_code != 0 || !read_group(judge, exchange, request->group_id, disk))
        return;
    const struct entry *entry = entry_of(judge, disk->number, request->group_id, SPAN_NULL, -1);
    if (!entry_has(entry, value_of(request->generation_id, SPAN_NULL)))
        judge_object(judge,
                     "group %.*s: an assignment of generation %d is told, but a power loss of %s "
                     "now would leave no record of it",
                     (int)request->group_id.length, (const char *)request->group_id.data,
                     request->generation_id, host->name);
}

static void judge_on(struct judge *judge, const struct exchange *exchange, const struct host *host)
{
    struct disk_view disk;
    if (!judge_disk(judge, host, &disk))
        return;
    if (exchange->api->key == API_OFFSET_COMMIT)
        commit_replied(judge, exchange, host, &disk);
    else
        sync_replied(judge, exchange, host, &disk);
}

/* The group's partition, as it is by now; NULL when that is not known. */
static const struct meta_partition *partition_now(const struct judge *judge, struct span group)
{
    const struct image *image = judge_truth(judge);
    const struct meta_topic *topic =
        image == NULL ? NULL : image_topic(image, SPAN(COORDINATOR_TOPIC));
    return topic == NULL || topic->partitions_count == 0
               ? NULL
               : image_partition(topic, coordinator_partition(group, topic->partitions_count));
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    const bool is_commit = exchange->api->key == API_OFFSET_COMMIT;
    if (host_is_stranded(exchange->host) || (!is_commit && exchange->api->key != API_SYNC_GROUP))
        return;
    if (!exchange->host->conf.is_cluster) {
        judge_on(judge, exchange, exchange->host);
        return;
    }
    const struct meta_partition *partition = partition_now(
        judge, is_commit ? ((const struct offset_commit_request *)exchange->request)->group_id
                         : ((const struct sync_group_request *)exchange->request)->group_id);
    for (uint32_t i = 0; partition != NULL && i < partition->isr_count; i++) {
        const struct host *host = judge->sim->hosts[meta_isr(partition)[i] - 1];
        if (!host->is_rotten)
            judge_on(judge, exchange, host);
    }
}

static void end(struct judge *judge)
{
    struct commits *commits = judge->state;
    while (commits->shards.first != NULL) {
        struct offsets_log *shard = container_of(commits->shards.first, struct offsets_log, node);
        map_remove(&commits->shards, &shard->node);
        memory_give(&judge->memory, MEMORY_STATE, shard, sizeof(*shard));
    }
    while (commits->entries.first != NULL) {
        struct entry *entry = container_of(commits->entries.first, struct entry, node);
        map_remove(&commits->entries, &entry->node);
        memory_give(&judge->memory, MEMORY_STATE, entry, sizeof(*entry) + entry->key_bytes);
    }
    arena_reset(&commits->arena);
}

const struct judge_kind judge_commit_is_durable = {
    .name = "commit-is-durable",
    .rule = "a committed offset, and an assignment that members were told, survive a power loss at "
            "any time after the reply left",
    .source = "an acknowledged offset commit survives (KAFKA-20634, KAFKA-13636); law: no reply "
              "leaves before what it promises is durable",
    .size = sizeof(struct commits),
    .begin = begin,
    .replied = replied,
    .end = end,
};
