/* SPDX-License-Identifier: Apache-2.0 */
#include "core/partition.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/broker_state.h"
#include "core/conf/topic_conf.h"
#include "core/log/folder.h"
#include "core/meta/controller.h"
#include "core/meta/image.h"
#include "core/meta/topics.h"
#include "core/replica/replicas.h"
#include "core/wire/error.h"

/* "TOPIC-PARTITION" at its longest. */
#define PARTITION_NAME_BYTES_MAX (META_TOPIC_NAME_MAX + 12)

/* How soon a higher leader epoch is asked for once more. */
#define RAISE_AGAIN_US ((uint64_t)500 * 1000)

static const struct meta_topic *partition_topic(const struct partition *partition)
{
    return image_topic_by_id(&partition->broker->image, partition->topic->id);
}

static const struct meta_partition *partition_meta(const struct partition *partition)
{
    const struct meta_topic *topic = partition_topic(partition);
    return topic == NULL ? NULL : image_partition(topic, partition->index);
}

/* What the topic's configuration, which falls back to the node's, means to the log. */
static struct log_settings settings_of(const struct broker *broker, const struct topic_conf *conf)
{
    return (struct log_settings){
        .segment_bytes = conf->segment_bytes,
        .segment_ms = conf->segment_ms,
        .retention_bytes = conf->retention_bytes,
        .retention_ms = conf->retention_ms,
        .index_interval_bytes = conf->index_interval_bytes,
        .segment_index_bytes = conf->segment_index_bytes,
        .file_delete_delay_ms = conf->file_delete_delay_ms,
        .flush_messages = conf->flush_messages,
        .flush_ms = conf->flush_ms,
        .producer_expiration_ms = conf_int(broker->conf, CONF_PRODUCER_ID_EXPIRATION_MS),
        .delete_old = conf->cleanup_delete && !conf->cleanup_compact,
        .write_caching = conf->write_caching,
    };
}

/* True when what is safe here is committed: there is no other replica. */
static bool is_alone(const struct partition *partition)
{
    const struct meta_partition *meta = partition_meta(partition);
    return meta != NULL && meta->replicas_count == 1;
}

int64_t partition_low_watermark(const struct partition *partition)
{
    if (partition->leading != NULL)
        return replica_leader_low_watermark(partition->leading);
    return is_alone(partition) ? log_start(partition->log) : -1;
}

/* Acknowledges, in order of offsets, what `end` covers; but nothing while somebody else may lead by
 * now. */
static void acks_release(struct partition *partition, enum ack_kind kind, int64_t end)
{
    struct list *acks = &partition->acks[kind];
    while (!list_empty(acks)) {
        struct partition_ack *ack = container_of(acks->next, struct partition_ack, place);
        if (ack->end_offset > end)
            return;
        if (!lease_holds(partition->broker)) {
            lease_await(partition->broker, &partition->lease_waiter);
            return;
        }
        list_remove(&ack->place);
        ack->done(ack, ERR_NONE);
    }
}

void partition_low_watermark_moved(struct partition *partition)
{
    if (!list_empty(&partition->acks[ACK_DELETED]))
        acks_release(partition, ACK_DELETED, partition_low_watermark(partition));
}

static void lease_held(struct lease_waiter *waiter)
{
    struct partition *partition = container_of(waiter, struct partition, lease_waiter);
    acks_release(partition, ACK_WRITTEN, log_written_end(partition->log));
    acks_release(partition, ACK_COMMITTED, partition->high_watermark);
    partition_low_watermark_moved(partition);
}

static void acks_fail(struct partition *partition, int error)
{
    for (int kind = ACK_WRITTEN; kind <= ACK_DELETED; kind++) {
        struct list *place;
        while ((place = list_pop(&partition->acks[kind])) != NULL) {
            struct partition_ack *ack = container_of(place, struct partition_ack, place);
            ack->done(ack, error);
        }
    }
}

/* Lets everyone who watches look again. A watcher that comes back waits for the next time. */
static void watchers_wake(struct partition *partition)
{
    struct list awake;
    list_init(&awake);
    struct list *place;
    while ((place = list_pop(&partition->watchers)) != NULL)
        list_append(&awake, place);
    while ((place = list_pop(&awake)) != NULL) {
        struct partition_watcher *watcher = container_of(place, struct partition_watcher, place);
        watcher->moved(watcher);
    }
}

void partition_raise_watermark(struct partition *partition, int64_t high_watermark)
{
    partition->high_watermark = high_watermark;
    log_set_high_watermark(partition->log, high_watermark);
    acks_release(partition, ACK_COMMITTED, high_watermark);
    watchers_wake(partition);
}

static void partition_advanced(struct log_observer *observer)
{
    struct partition *partition = container_of(observer, struct partition, observer);
    const int64_t safe = log_safe_end(partition->log);
    acks_release(partition, ACK_WRITTEN, log_written_end(partition->log));
    partition_low_watermark_moved(partition);
    if (partition->leading != NULL)
        replica_leader_advanced(partition->leading);
    else if (partition->following != NULL)
        replica_follower_advanced(partition->following);
    else if (safe > partition->high_watermark && is_alone(partition))
        partition_raise_watermark(partition, safe);
    watchers_wake(partition); /* the start may have moved */
}

static int raise_prepare(struct meta_proposal *proposal, const struct image *image,
                         struct meta_writer *writer)
{
    const struct partition *partition = container_of(proposal, struct partition, raise);
    return topics_raise_epoch(image, writer, partition->topic->id, partition->index,
                              partition->raised_epoch);
}

static void partition_raise(struct partition *partition);

/* Nobody needs to try an append for it: while the epoch is spent nobody follows, and with too few
 * replicas in sync appends are refused before they come to be. */
static void raise_again(struct timer *timer)
{
    struct partition *partition = container_of(timer, struct partition, raise_timer);
    const struct meta_partition *meta = partition_meta(partition);
    if (meta != NULL && meta->leader == partition->broker->conf->node_id &&
        meta->leader_epoch <= partition->spent_epoch && log_state(partition->log) != LOG_OFFLINE)
        partition_raise(partition);
}

/* What refuses it, as a full disk does, may last. */
static void raise_done(struct meta_proposal *proposal, int error)
{
    struct partition *partition = container_of(proposal, struct partition, raise);
    struct io *io = &partition->broker->io;
    partition->raising = false;
    if (error == ERR_NONE)
        return;
    io_log(io, LOG_ERROR, "no higher leader epoch was granted: partition=%d error=%s",
           partition->index, error_name(error));
    timer_set(&io->timers, &partition->raise_timer, io->now_us + RAISE_AGAIN_US, raise_again);
}

/* Asks for a higher leader epoch, unless that is under way. */
static void partition_raise(struct partition *partition)
{
    if (partition->raising)
        return;
    partition->raising = true;
    partition->raised_epoch = partition_leader_epoch(partition);
    partition->raise.prepare = raise_prepare;
    partition->raise.done = raise_done;
    controller_propose(partition->broker->controller, &partition->raise);
}

/* An append was lost. Asks for a higher leader epoch, under which the partition takes appends
 * again: somebody may have seen what was lost under the old one, and (epoch, offset) never
 * names two things. */
static void partition_failed(struct log_observer *observer, int error)
{
    struct partition *partition = container_of(observer, struct partition, observer);
    struct broker *broker = partition->broker;
    const struct meta_topic *topic = partition_topic(partition);
    if (topic != NULL) {
        io_log(&broker->io, LOG_ERROR, "an append was lost: partition=%.*s-%d error=%s",
               SPAN_ARGS(topic->name), partition->index, error_name(error));
        partition->spent_epoch = image_partition(topic, partition->index)->leader_epoch;
    }
    acks_fail(partition, ERR_KAFKA_STORAGE_ERROR);
    watchers_wake(partition);
    if (partition->leading != NULL)
        replica_leader_failed(partition->leading);
    if (log_state(partition->log) == LOG_OFFLINE)
        replica_offline(partition);
    if (partition->following != NULL)
        replica_follower_failed(partition->following);
    else if (topic != NULL && log_state(partition->log) != LOG_OFFLINE &&
             image_partition(topic, partition->index)->leader == broker->conf->node_id)
        partition_raise(partition);
}

int partition_read_failed(struct partition *partition, int error)
{
    if (error != ERR_CORRUPT_MESSAGE)
        return error;
    replica_offline(partition);
    return ERR_KAFKA_STORAGE_ERROR;
}

static size_t partition_name(const struct meta_topic *topic, int32_t index,
                             char name[static PARTITION_NAME_BYTES_MAX])
{
    return format_text(name, PARTITION_NAME_BYTES_MAX, "%.*s-%d", SPAN_ARGS(topic->name), index);
}

bool partition_is_on_disk(struct broker *broker, const struct meta_topic *topic, int32_t index)
{
    char name[PARTITION_NAME_BYTES_MAX];
    const size_t length = partition_name(topic, index, name);
    return folder_holds(broker_folder_for(broker, span_of(name, length)), span_of(name, length));
}

static void cut_done(struct log_waiter *waiter, int error)
{
    struct partition *partition = container_of(waiter, struct partition, cut_waiter);
    struct list *place;
    struct list woken;
    list_init(&woken);
    partition->is_cut = false;
    if (error == ERR_NONE && partition->high_watermark > log_end(partition->log))
        partition->high_watermark = log_end(partition->log);
    while ((place = list_pop(&partition->loads)) != NULL)
        list_append(&woken, place);
    while ((place = list_pop(&woken)) != NULL) {
        waiter = container_of(place, struct log_waiter, place);
        waiter->wake(waiter, error);
    }
}

/* What was committed is cut off only where the metadata let a replica lead that did not have it. */
static void cut_begin(struct partition *partition, int64_t offset)
{
    if (offset < partition->high_watermark)
        io_log(&partition->broker->io, LOG_WARN,
               "records that were committed are given up for the leader's: partition=%d "
               "offset=%lld high_watermark=%lld",
               partition->index, (long long)offset, (long long)partition->high_watermark);
    partition->is_cut = true;
}

void partition_cut(struct partition *partition, int64_t offset)
{
    cut_begin(partition, offset);
    log_truncate(partition->log, offset, &partition->cut_waiter);
}

void partition_begin_anew(struct partition *partition, int64_t offset)
{
    if (offset < log_end(partition->log))
        cut_begin(partition, offset);
    partition->is_cut = true;
    log_reset(partition->log, offset, &partition->cut_waiter);
}

void partition_resign(struct partition *partition)
{
    acks_fail(partition, ERR_NOT_LEADER_OR_FOLLOWER);
    watchers_wake(partition);
}

static struct partition *partition_new(struct broker *broker, struct hosted_topic *hosted,
                                       const struct meta_topic *topic, int32_t index)
{
    char name[PARTITION_NAME_BYTES_MAX];
    const size_t length = partition_name(topic, index, name);
    const struct log_settings settings = settings_of(broker, &hosted->conf);
    struct partition *partition = memory_new(&broker->memory, struct partition);
    partition->broker = broker;
    partition->topic = hosted;
    partition->index = index;
    partition->spent_epoch = -1;
    partition->observer.advanced = partition_advanced;
    partition->observer.failed = partition_failed;
    list_init(&partition->acks[ACK_WRITTEN]);
    list_init(&partition->acks[ACK_COMMITTED]);
    list_init(&partition->acks[ACK_DELETED]);
    list_init(&partition->watchers);
    list_init(&partition->loads);
    list_init(&partition->offline_place);
    list_init(&partition->lease_waiter.place);
    partition->lease_waiter.held = lease_held;
    list_init(&partition->cut_waiter.place);
    partition->cut_waiter.wake = cut_done;
    partition->log =
        log_new(&broker->io, broker_folder_for(broker, span_of(name, length)),
                span_of(name, length), topic->id, broker->codecs, &settings, &partition->observer);
    hosted->partitions[index] = partition;
    return partition;
}

struct partition *partition_hosted(const struct broker *broker, struct uuid topic, int32_t index)
{
    const struct hosted_topic *hosted = hosted_topic_find(broker, topic);
    return hosted == NULL || index < 0 || (uint32_t)index >= hosted->partitions_capacity
               ? NULL
               : hosted->partitions[index];
}

struct partition *partition_host(struct broker *broker, const struct meta_topic *topic,
                                 int32_t index)
{
    struct hosted_topic *hosted = hosted_topic_open(broker, topic);
    struct partition *partition = hosted->partitions[index];
    return partition != NULL ? partition : partition_new(broker, hosted, topic, index);
}

int partition_of(struct broker *broker, const struct meta_topic *topic, int32_t index,
                 struct partition **ret_partition)
{
    if (topic == NULL || index < 0 || index >= topic->partitions_count)
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (image_partition(topic, index)->leader != broker->conf->node_id)
        return ERR_NOT_LEADER_OR_FOLLOWER;
    *ret_partition = partition_host(broker, topic, index);
    return ERR_NONE;
}

int partition_by_name(struct broker *broker, struct span topic, int32_t index,
                      struct partition **ret_partition)
{
    return partition_of(broker, image_topic(&broker->image, topic), index, ret_partition);
}

int partition_by_id(struct broker *broker, struct uuid topic, int32_t index,
                    struct partition **ret_partition)
{
    const struct meta_topic *found = image_topic_by_id(&broker->image, topic);
    return found == NULL ? ERR_UNKNOWN_TOPIC_ID : partition_of(broker, found, index, ret_partition);
}

bool partition_load(struct partition *partition, struct log_waiter *waiter)
{
    if (partition->is_cut) {
        list_append(&partition->loads, &waiter->place);
        return false;
    }
    if (log_state(partition->log) == LOG_READY) {
        /* The first to see a loaded log, which tells its observer only about what comes after. */
        if (partition->leading != NULL)
            replica_leader_ready(partition->leading);
        else if (log_safe_end(partition->log) > partition->high_watermark && is_alone(partition))
            partition_advanced(&partition->observer);
        return true;
    }
    log_load(partition->log, waiter);
    return false;
}

int32_t partition_leader_epoch(const struct partition *partition)
{
    const struct meta_partition *meta = partition_meta(partition);
    return meta == NULL ? -1 : meta->leader_epoch;
}

int partition_check_epoch(const struct partition *partition, int32_t current_leader_epoch)
{
    const int32_t epoch = partition_leader_epoch(partition);
    if (current_leader_epoch < 0 || current_leader_epoch == epoch)
        return ERR_NONE;
    return current_leader_epoch < epoch ? ERR_FENCED_LEADER_EPOCH : ERR_UNKNOWN_LEADER_EPOCH;
}

/* The log is ahead of the metadata when those were put back from an earlier copy. What they grant
 * again until then names other appends: all of it is spent. */
static void spend_epochs(struct partition *partition, int32_t epoch)
{
    const struct meta_topic *topic = partition_topic(partition);
    const int32_t last = log_last_epoch(partition->log);
    if (epoch >= last || partition->spent_epoch >= last || topic == NULL)
        return;
    io_log(
        &partition->broker->io, LOG_ERROR,
        "the metadata know of fewer leader epochs than a log, and were put back or are another's: "
        "partition=%.*s-%d epoch=%d log=%d",
        SPAN_ARGS(topic->name), partition->index, epoch, last);
    partition->spent_epoch = last;
}

int partition_append(struct partition *partition, struct log_append *append)
{
    const struct meta_partition *meta = partition_meta(partition);
    if (meta == NULL || meta->leader != partition->broker->conf->node_id)
        return ERR_NOT_LEADER_OR_FOLLOWER; /* not any more */
    if (meta->replicas_count > 1 && append->length > REPLICA_BATCH_BYTES_MAX)
        return ERR_MESSAGE_TOO_LARGE;
    const int32_t epoch = meta->leader_epoch;
    spend_epochs(partition, epoch);
    if (epoch <= partition->spent_epoch && log_state(partition->log) == LOG_OFFLINE)
        return ERR_KAFKA_STORAGE_ERROR;
    if (epoch <= partition->spent_epoch) {
        partition_raise(partition); /* or nobody asks, where the metadata were put back */
        return ERR_NOT_LEADER_OR_FOLLOWER;
    }
    append->leader_epoch = epoch;
    if (partition->leading != NULL)
        replica_leader_ready(partition->leading);
    const int error = log_append(partition->log, append);
    if (error == ERR_NONE && !append->duplicate && partition->leading != NULL)
        replica_leader_appended(partition->leading, append);
    return error;
}

void partition_await(struct partition *partition, enum ack_kind kind, struct partition_ack *ack)
{
    /* A duplicate waits for its original, whose offsets lie before those of later appends. */
    struct list *after = partition->acks[kind].previous;
    while (after != &partition->acks[kind] &&
           container_of(after, struct partition_ack, place)->end_offset > ack->end_offset)
        after = after->previous;
    list_append(after->next, &ack->place);
    if (kind == ACK_WRITTEN)
        acks_release(partition, kind, log_written_end(partition->log));
    else if (kind == ACK_COMMITTED)
        acks_release(partition, kind, partition->high_watermark);
    else
        partition_low_watermark_moved(partition);
}

void partition_watch(struct partition *partition, struct partition_watcher *watcher)
{
    list_append(&partition->watchers, &watcher->place);
}

void partition_reconfigure(struct broker *broker, const struct meta_topic *topic)
{
    struct hosted_topic *hosted = hosted_topic_find(broker, topic->id);
    if (hosted == NULL)
        return;
    broker_topic_conf(broker, topic, &hosted->conf);
    const struct log_settings settings = settings_of(broker, &hosted->conf);
    for (uint32_t i = 0; i < hosted->partitions_capacity; i++) {
        if (hosted->partitions[i] == NULL)
            continue;
        log_configure(hosted->partitions[i]->log, &settings);
        partition_advanced(&hosted->partitions[i]->observer);
    }
}

static void partition_free(struct partition *partition)
{
    struct broker *broker = partition->broker;
    if (partition->raising)
        controller_cancel(broker->controller, &partition->raise);
    list_remove(&partition->lease_waiter.place);
    list_remove(&partition->offline_place);
    timer_cancel(&broker->io.timers, &partition->raise_timer);
    memory_give(&broker->memory, MEMORY_STATE, partition, sizeof(*partition));
}

static void hosted_free(struct broker *broker, struct hosted_topic *hosted)
{
    for (uint32_t i = 0; i < hosted->partitions_capacity; i++) {
        if (hosted->partitions[i] != NULL)
            partition_free(hosted->partitions[i]);
    }
    hosted_topic_close(broker, hosted);
}

void partition_remove_topic(struct broker *broker, const struct meta_topic *topic)
{
    struct hosted_topic *hosted = hosted_topic_open(broker, topic);
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        struct partition *partition = hosted->partitions[i];
        if (partition == NULL && !partition_is_on_disk(broker, topic, i))
            continue;
        if (partition == NULL) /* what it has on disk goes too */
            partition = partition_new(broker, hosted, topic, i);
        replica_forget(partition);
        log_delete(partition->log);
        acks_fail(partition, ERR_UNKNOWN_TOPIC_OR_PARTITION);
        watchers_wake(partition);
    }
    hosted_free(broker, hosted);
}

void partition_free_all(struct broker *broker)
{
    while (broker->hosted.first != NULL) {
        struct hosted_topic *hosted = container_of(broker->hosted.first, struct hosted_topic, node);
        for (uint32_t i = 0; i < hosted->partitions_capacity; i++) {
            if (hosted->partitions[i] != NULL)
                log_free(hosted->partitions[i]->log);
        }
        hosted_free(broker, hosted);
    }
}
