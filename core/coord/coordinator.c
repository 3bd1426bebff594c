/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/coordinator.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/coord/java_hash.h"
#include "core/lease.h"
#include "core/meta/image.h"
#include "core/partition.h"
#include "core/records/batch.h"
#include "core/wire/error.h"

/*
 *     OPENING ──▶ CATCHING_UP ──▶ SCANNING ──▶ SERVING
 *     the log     until all of    its records
 *                 it is safe
 *
 * Dropped from each of them when the partition fails or goes; the next request, or a higher leader
 * epoch, begins anew.
 */
enum keeper_state { KEEPER_OPENING, KEEPER_CATCHING_UP, KEEPER_SCANNING, KEEPER_SERVING };

/* One partition of __consumer_offsets that this broker leads, with its shard. */
struct keeper {
    struct coordinator *coordinator;
    int32_t index;
    int32_t epoch; /* under which it is led */
    enum keeper_state state;
    uint32_t batch_bytes_max;
    struct partition *partition;
    struct shard shard;
    struct shard_log log;
    struct log_waiter waiter;
    struct log_scan scan;
    struct partition_ack ack;   /* of the oldest append that somebody waits for */
    struct turn_task drop_task; /* an append failed: dropped at the end of the turn */
};

struct coordinator {
    struct broker *broker;
    struct group_settings settings;
    struct image_observer observer;
    struct keeper **keepers; /* by partition; NULL where nothing is kept */
    uint32_t keepers_capacity;
    uint64_t dropped; /* keepers that there were once */
};

static const struct meta_topic *offsets_topic_of(const struct coordinator *coordinator)
{
    return image_topic(&coordinator->broker->image, SPAN(COORDINATOR_TOPIC));
}

static bool is_queued(const struct list *place)
{
    return place->next != NULL && !list_empty(place);
}

/* Everyone who waits goes to find the coordinator again. */
static void keeper_drop(struct keeper *keeper)
{
    struct coordinator *coordinator = keeper->coordinator;
    if (is_queued(&keeper->waiter.place))
        list_remove(&keeper->waiter.place);
    if (is_queued(&keeper->ack.place))
        list_remove(&keeper->ack.place);
    if (is_queued(&keeper->drop_task.place))
        list_remove(&keeper->drop_task.place);
    if (keeper->state == KEEPER_SCANNING)
        log_scan_cancel(&keeper->scan);
    coordinator->keepers[keeper->index] = NULL;
    coordinator->dropped++;
    shard_drop(&keeper->shard, ERR_NOT_COORDINATOR);
    memory_give(&coordinator->broker->memory, MEMORY_STATE, keeper, sizeof(*keeper));
}

static void keeper_failed(struct keeper *keeper, int error)
{
    io_log(&keeper->coordinator->broker->io, LOG_WARN,
           "the groups of a partition of __consumer_offsets are given up partition=%d error=%s",
           keeper->index, error_name(error));
    keeper_drop(keeper);
}

static void keeper_drop_later(struct turn_task *task)
{
    keeper_drop(container_of(task, struct keeper, drop_task));
}

static void keeper_log_failed(struct shard_log *log, int error)
{
    struct keeper *keeper = container_of(log, struct keeper, log);
    struct io *io = &keeper->coordinator->broker->io;
    io_log(io, LOG_WARN, "a record of __consumer_offsets was not taken partition=%d error=%s",
           keeper->index, error_name(error));
    io_at_turn_end(io, &keeper->drop_task, keeper_drop_later);
}

static void keeper_await(struct keeper *keeper, int64_t end_offset);

static void keeper_committed(struct partition_ack *ack, int error)
{
    struct keeper *keeper = container_of(ack, struct keeper, ack);
    ack->end_offset = -1;
    if (error != ERR_NONE) {
        keeper_failed(keeper, error);
        return;
    }
    shard_advanced(&keeper->shard);
    const int64_t next = shard_awaits(&keeper->shard);
    if (next >= 0)
        keeper_await(keeper, next);
}

/* Looks after the high watermark until it covers `end_offset`, unless it looks already. */
static void keeper_await(struct keeper *keeper, int64_t end_offset)
{
    if (keeper->ack.end_offset >= 0)
        return;
    keeper->ack.end_offset = end_offset;
    keeper->ack.done = keeper_committed;
    partition_await(keeper->partition, ACK_COMMITTED, &keeper->ack);
}

static int keeper_append(struct shard_log *log, struct buffer *batch, uint32_t length,
                         int64_t *ret_end_offset)
{
    struct keeper *keeper = container_of(log, struct keeper, log);
    struct batch_info info;
    if (partition_leader_epoch(keeper->partition) != keeper->epoch)
        return ERR_NOT_LEADER_OR_FOLLOWER;
    batch_info_read(batch->data, &info);
    struct log_append append = {.buffer = batch,
                                .batch = batch->data,
                                .length = length,
                                .log_append_time_ms = -1,
                                .info = &info};
    const int error = partition_append(keeper->partition, &append);
    if (error != ERR_NONE)
        return error;
    *ret_end_offset = append.last_offset + 1;
    keeper_await(keeper, *ret_end_offset);
    return ERR_NONE;
}

static int64_t keeper_high_watermark(struct shard_log *log)
{
    return container_of(log, struct keeper, log)->partition->high_watermark;
}

static uint32_t keeper_batch_bytes_max(struct shard_log *log)
{
    return container_of(log, struct keeper, log)->batch_bytes_max;
}

static void keeper_serve(struct keeper *keeper)
{
    keeper->state = KEEPER_SERVING;
    shard_loaded(&keeper->shard);
    io_log(&keeper->coordinator->broker->io, LOG_DEBUG,
           "the groups of a partition of __consumer_offsets are loaded partition=%d groups=%u",
           keeper->index, map_count(&keeper->shard.groups));
}

static int keeper_scan_batch(struct log_scan *scan, struct span batch)
{
    shard_replay(&container_of(scan, struct keeper, scan)->shard, batch);
    return ERR_NONE;
}

static void keeper_scan_done(struct log_scan *scan, int error)
{
    struct keeper *keeper = container_of(scan, struct keeper, scan);
    keeper->state = KEEPER_OPENING; /* nothing to cancel any more */
    if (error != ERR_NONE)
        keeper_failed(keeper, partition_read_failed(keeper->partition, error));
    else
        keeper_serve(keeper);
}

static void keeper_scan(struct partition_ack *ack, int error)
{
    struct keeper *keeper = container_of(ack, struct keeper, ack);
    struct log *log = keeper->partition->log;
    const int64_t end_offset = ack->end_offset;
    ack->end_offset = -1;
    if (error != ERR_NONE) {
        keeper_failed(keeper, error);
        return;
    }
    if (log_start(log) == end_offset) {
        keeper_serve(keeper);
        return;
    }
    keeper->state = KEEPER_SCANNING;
    keeper->scan = (struct log_scan){.offset = log_start(log),
                                     .end_offset = end_offset,
                                     .batch = keeper_scan_batch,
                                     .done = keeper_scan_done};
    log_scan(log, &keeper->scan);
}

static void keeper_opened(struct keeper *keeper)
{
    keeper->state = KEEPER_CATCHING_UP;
    keeper->ack.end_offset = log_end(keeper->partition->log);
    keeper->ack.done = keeper_scan;
    partition_await(keeper->partition, ACK_COMMITTED, &keeper->ack);
}

static void keeper_wake(struct log_waiter *waiter, int error)
{
    struct keeper *keeper = container_of(waiter, struct keeper, waiter);
    if (error != ERR_NONE)
        keeper_failed(keeper, error);
    else if (partition_load(keeper->partition, &keeper->waiter))
        keeper_opened(keeper);
}

/* One batch has to fit a message as well as a segment. */
static uint32_t batch_bytes_max(const struct coordinator *coordinator,
                                const struct meta_topic *topic)
{
    struct topic_conf conf;
    broker_topic_conf(coordinator->broker, topic, &conf);
    return conf.message_bytes_max < conf.segment_bytes ? conf.message_bytes_max
                                                       : conf.segment_bytes;
}

static void keeper_start(struct coordinator *coordinator, const struct meta_topic *topic,
                         int32_t index)
{
    struct broker *broker = coordinator->broker;
    struct partition *partition = NULL;
    if (partition_of(broker, topic, index, &partition) != ERR_NONE)
        return;
    struct keeper *keeper = memory_new(&broker->memory, struct keeper);
    keeper->coordinator = coordinator;
    keeper->index = index;
    keeper->epoch = partition_leader_epoch(partition);
    keeper->partition = partition;
    keeper->batch_bytes_max = batch_bytes_max(coordinator, topic);
    keeper->ack.end_offset = -1;
    keeper->waiter.wake = keeper_wake;
    keeper->log = (struct shard_log){.batch_bytes_max = keeper_batch_bytes_max,
                                     .append = keeper_append,
                                     .high_watermark = keeper_high_watermark,
                                     .failed = keeper_log_failed};
    shard_init(&keeper->shard, &broker->io, &coordinator->settings, broker->codecs, &keeper->log);
    coordinator->keepers[index] = keeper;
    if (partition_load(partition, &keeper->waiter))
        keeper_opened(keeper);
}

static void keepers_reserve(struct coordinator *coordinator, const struct meta_topic *topic)
{
    const uint32_t count = coordinator->keepers_capacity;
    coordinator->keepers = memory_grow(&coordinator->broker->memory, coordinator->keepers,
                                       &coordinator->keepers_capacity,
                                       (uint32_t)topic->partitions_count, sizeof(struct keeper *));
    for (uint32_t i = count; i < coordinator->keepers_capacity; i++)
        coordinator->keepers[i] = NULL;
}

static void keepers_drop(struct coordinator *coordinator)
{
    for (uint32_t i = 0; i < coordinator->keepers_capacity; i++)
        if (coordinator->keepers[i] != NULL)
            keeper_drop(coordinator->keepers[i]);
}

/* What was kept under another epoch or leader is not true any more; what lies on disk is loaded
 * now, so that clients find it loaded. The rest is empty, and loaded when the first one asks. */
static void partition_changed(struct coordinator *coordinator, const struct meta_topic *topic,
                              int32_t index)
{
    struct broker *broker = coordinator->broker;
    const struct meta_partition *partition = image_partition(topic, index);
    const bool leads = partition->leader == broker->conf->node_id;
    keepers_reserve(coordinator, topic);
    struct keeper *keeper = coordinator->keepers[index];
    if (keeper != NULL && leads && keeper->epoch == partition->leader_epoch)
        return;
    if (keeper != NULL)
        keeper_drop(keeper);
    if (leads && partition_is_on_disk(broker, topic, index))
        keeper_start(coordinator, topic, index);
}

static void config_changed(struct coordinator *coordinator, const struct meta_topic *topic)
{
    for (uint32_t i = 0; i < coordinator->keepers_capacity; i++)
        if (coordinator->keepers[i] != NULL)
            coordinator->keepers[i]->batch_bytes_max = batch_bytes_max(coordinator, topic);
}

static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    struct coordinator *coordinator = container_of(observer, struct coordinator, observer);
    const struct meta_topic *topic = change->topic;
    if (topic == NULL)
        return;
    const bool ours = span_equal(topic->name, SPAN(COORDINATOR_TOPIC));
    if (change->kind == IMAGE_TOPIC_REMOVED && ours) {
        keepers_drop(coordinator);
    } else if (change->kind == IMAGE_TOPIC_REMOVED) {
        struct shard *shard = NULL;
        while ((shard = coordinator_next(coordinator, shard)) != NULL)
            shard_forget_topic(shard, topic->name);
    } else if (ours && change->kind == IMAGE_CONFIG_CHANGED) {
        config_changed(coordinator, topic);
    } else if (ours &&
               (change->kind == IMAGE_PARTITION_ADDED || change->kind == IMAGE_PARTITION_CHANGED)) {
        partition_changed(coordinator, topic, change->partition);
    }
}

static struct group_settings settings_of(const struct conf *conf)
{
    return (struct group_settings){
        .min_session_timeout_ms = (int32_t)conf_int(conf, CONF_GROUP_MIN_SESSION_TIMEOUT_MS),
        .max_session_timeout_ms = (int32_t)conf_int(conf, CONF_GROUP_MAX_SESSION_TIMEOUT_MS),
        .initial_rebalance_delay_ms =
            (int32_t)conf_int(conf, CONF_GROUP_INITIAL_REBALANCE_DELAY_MS),
        .max_size = (uint32_t)conf_int(conf, CONF_GROUP_MAX_SIZE),
        .offset_metadata_bytes_max = (uint32_t)conf_int(conf, CONF_OFFSET_METADATA_MAX_BYTES),
        .offsets_retention_ms = conf_int(conf, CONF_OFFSETS_RETENTION_MINUTES) * 60 * 1000,
        .retention_check_ms = conf_int(conf, CONF_OFFSETS_RETENTION_CHECK_INTERVAL_MS),
    };
}

struct coordinator *coordinator_new(struct broker *broker)
{
    struct coordinator *coordinator = memory_new(&broker->memory, struct coordinator);
    coordinator->broker = broker;
    coordinator->settings = settings_of(broker->conf);
    coordinator->observer.changed = image_changed;
    image_observe(&broker->image, &coordinator->observer);
    const struct meta_topic *topic = offsets_topic_of(coordinator);
    for (int32_t i = 0; topic != NULL && i < topic->partitions_count; i++)
        partition_changed(coordinator, topic, i);
    return coordinator;
}

void coordinator_free(struct coordinator *coordinator)
{
    if (coordinator == NULL)
        return;
    struct memory *memory = &coordinator->broker->memory;
    keepers_drop(coordinator);
    list_remove(&coordinator->observer.place);
    memory_give(memory, MEMORY_STATE, coordinator->keepers,
                coordinator->keepers_capacity * sizeof(struct keeper *));
    memory_give(memory, MEMORY_STATE, coordinator, sizeof(*coordinator));
}

uint64_t coordinator_dropped(const struct coordinator *coordinator)
{
    return coordinator == NULL ? 0 : coordinator->dropped;
}

int32_t coordinator_partition(struct span group_id, int32_t partitions_count)
{
    const int32_t hash = java_hash(group_id);
    return (hash == INT32_MIN ? 0 : hash < 0 ? -hash : hash) % partitions_count;
}

int coordinator_shard(struct coordinator *coordinator, struct span group_id,
                      struct shard **ret_shard)
{
    const struct meta_topic *topic = coordinator == NULL ? NULL : offsets_topic_of(coordinator);
    if (topic == NULL || topic->partitions_count == 0)
        return ERR_COORDINATOR_NOT_AVAILABLE;
    const int32_t index = coordinator_partition(group_id, topic->partitions_count);
    /* Without a lease another broker may coordinate by now, and know of later commits. */
    if (image_partition(topic, index)->leader != coordinator->broker->conf->node_id ||
        !lease_holds(coordinator->broker))
        return ERR_NOT_COORDINATOR;
    keepers_reserve(coordinator, topic);
    if (coordinator->keepers[index] == NULL)
        keeper_start(coordinator, topic, index);
    struct keeper *keeper = coordinator->keepers[index];
    if (keeper == NULL || keeper->shard.state == SHARD_GONE)
        return ERR_NOT_COORDINATOR;
    if (keeper->shard.state == SHARD_LOADING)
        return ERR_COORDINATOR_LOAD_IN_PROGRESS;
    *ret_shard = &keeper->shard;
    return ERR_NONE;
}

int coordinator_group(struct coordinator *coordinator, struct span group_id,
                      struct shard **ret_shard, struct group **ret_group)
{
    const int error = coordinator_shard(coordinator, group_id, ret_shard);
    if (error == ERR_NONE)
        *ret_group = shard_find(*ret_shard, group_id);
    return error;
}

int coordinator_open(struct coordinator *coordinator, struct span group_id,
                     struct shard **ret_shard, struct group **ret_group)
{
    const int error = coordinator_group(coordinator, group_id, ret_shard, ret_group);
    if (error != ERR_NONE || *ret_group != NULL)
        return error;
    if (map_count(&(*ret_shard)->groups) >= COORDINATOR_SHARD_GROUPS_MAX)
        return ERR_GROUP_MAX_SIZE_REACHED;
    *ret_group = shard_open(*ret_shard, group_id);
    return ERR_NONE;
}

struct shard *coordinator_next(struct coordinator *coordinator, struct shard *shard)
{
    uint32_t i = 0;
    if (shard != NULL)
        i = (uint32_t)container_of(shard, struct keeper, shard)->index + 1;
    for (; i < coordinator->keepers_capacity; i++) {
        struct keeper *keeper = coordinator->keepers[i];
        if (keeper != NULL && keeper->shard.state == SHARD_ACTIVE)
            return &keeper->shard;
    }
    return NULL;
}

bool coordinator_is_loading(const struct coordinator *coordinator)
{
    for (uint32_t i = 0; i < coordinator->keepers_capacity; i++)
        if (coordinator->keepers[i] != NULL &&
            coordinator->keepers[i]->shard.state == SHARD_LOADING)
            return true;
    return false;
}

const struct group_settings *coordinator_settings(const struct coordinator *coordinator)
{
    return &coordinator->settings;
}
