/* SPDX-License-Identifier: Apache-2.0 */
/* A partition that this broker follows: see enum follow_state. */
#include "core/base/check.h"
#include "core/replica/internal.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

/* Asks together with those who have no answer yet. */
static void follow_ask_later(struct replica_follower *follow)
{
    follow->state = FOLLOW_ASKING;
    node_ask_later(follow->node);
}

/* After a loss the leader is asked at once, unless the disk took nothing since the one before. */
static void follow_is_loaded(struct replica_follower *follow)
{
    const int64_t end = log_end(follow->partition->log);
    const bool is_full = follow->has_lost && end == follow->lost_end;
    if (follow->has_lost)
        follow->lost_end = end;
    follow->has_lost = false;
    if (is_full)
        follow_ask_later(follow);
    else
        follow_ask(follow);
}

static void follow_loaded(struct log_waiter *waiter, int error)
{
    struct replica_follower *follow = container_of(waiter, struct replica_follower, waiter);
    if (log_state(follow->partition->log) == LOG_OFFLINE)
        replica_offline(follow->partition);
    if (error == ERR_NONE && partition_load(follow->partition, waiter))
        follow_is_loaded(follow);
}

/* Waits until the log can be appended to, and asks where to go on. */
static void follow_load(struct replica_follower *follow)
{
    follow->state = FOLLOW_LOADING;
    follow->start_asked = -1;
    list_remove(&follow->ask_place);
    list_remove(&follow->ack_place);
    list_remove(&follow->waiter.place);
    if (partition_load(follow->partition, &follow->waiter))
        follow_is_loaded(follow);
}

static void follow_start(struct replica_follower *follow);

static void start_moved(struct log_waiter *waiter, int error)
{
    struct replica_follower *follow = container_of(waiter, struct replica_follower, start_waiter);
    if (error != ERR_NONE)
        follow->start_asked = -1; /* with what comes next, again */
    else
        follow_start(follow); /* the leader's may have moved on */
}

void follow_begin(struct replicas *replicas, struct partition *partition,
                  const struct meta_partition *meta)
{
    struct replica_follower *follow = memory_new(replicas->io->memory, struct replica_follower);
    follow->replicas = replicas;
    follow->partition = partition;
    follow->node = replicas_node(replicas, meta->leader);
    follow->epoch = meta->leader_epoch;
    follow->leader_watermark = -1;
    follow->leader_start = -1;
    follow->start_asked = -1;
    follow->told_written = -1;
    follow->told_durable = -1;
    follow->told_start = -1;
    follow->lost_end = -1;
    follow->waiter.wake = follow_loaded;
    follow->start_waiter.wake = start_moved;
    list_init(&follow->waiter.place);
    list_init(&follow->start_waiter.place);
    list_init(&follow->ask_place);
    list_init(&follow->ack_place);
    list_append(&follow->node->followed, &follow->place);
    partition->following = follow;
    follow_load(follow);
}

void follow_end(struct replica_follower *follow)
{
    list_remove(&follow->waiter.place);
    list_remove(&follow->start_waiter.place);
    list_remove(&follow->ask_place);
    list_remove(&follow->ack_place);
    list_remove(&follow->place);
    follow->partition->following = NULL;
    memory_give(follow->replicas->io->memory, MEMORY_STATE, follow, sizeof(*follow));
}

void follow_ask(struct replica_follower *follow)
{
    follow->state = FOLLOW_ASKING;
    follow->node->ask_again_us = ASK_AGAIN_US;
    list_remove(&follow->ack_place);
    if (list_empty(&follow->ask_place))
        list_append(&follow->node->to_ask, &follow->ask_place);
    replicas_wake(follow->replicas);
}

/* Tells the leader how far the log is, and where it begins, if it does not know yet. */
static void follow_acknowledge(struct replica_follower *follow)
{
    const struct log *log = follow->partition->log;
    if (follow->state != FOLLOW_FOLLOWING || !list_empty(&follow->ack_place) ||
        (follow->told_written == log_written_end(log) &&
         follow->told_durable == log_durable_end(log) && follow->told_start == log_start(log)))
        return;
    list_append(&follow->node->to_ack, &follow->ack_place);
    replicas_wake(follow->replicas);
}

/* What the leader told of is committed here as far as it is here. */
static void follow_watermark(struct replica_follower *follow)
{
    struct partition *partition = follow->partition;
    const int64_t end = log_written_end(partition->log);
    const int64_t known = follow->leader_watermark < end ? follow->leader_watermark : end;
    if (follow->state == FOLLOW_FOLLOWING && known > partition->high_watermark)
        partition_raise_watermark(partition, known);
}

/* What the leader has deleted goes here, too, as far as it is known to be committed. */
static void follow_start(struct replica_follower *follow)
{
    const struct partition *partition = follow->partition;
    const int64_t start = follow->leader_start < partition->high_watermark
                              ? follow->leader_start
                              : partition->high_watermark;
    if (follow->state != FOLLOW_FOLLOWING || log_state(partition->log) != LOG_READY ||
        start <= log_start(partition->log) || start <= follow->start_asked ||
        !list_empty(&follow->start_waiter.place))
        return;
    follow->start_asked = start;
    log_delete_before(partition->log, start, &follow->start_waiter);
}

void replica_follower_advanced(struct replica_follower *follow)
{
    follow_acknowledge(follow);
    follow_watermark(follow);
    follow_start(follow);
}

void replica_follower_failed(struct replica_follower *follow)
{
    follow->has_lost = true;
    follow_load(follow);
}

void follow_link_is_new(struct replica_follower *follow)
{
    if (follow->state == FOLLOW_ASKING) {
        follow_ask(follow);
    } else {
        follow->told_written = -1;
        follow_acknowledge(follow);
    }
}

/* The role that a message of this node is about; NULL when it is about another than there is now.
 */
static struct replica_follower *follow_of(struct replicas *replicas, int32_t node_id,
                                          struct uuid topic_id, int32_t index, int32_t epoch)
{
    struct partition *partition = replicas_find(replicas, topic_id, index);
    struct replica_follower *follow = partition == NULL ? NULL : partition->following;
    return follow != NULL && follow->node->id == node_id && follow->epoch == epoch ? follow : NULL;
}

/* ---- Where to go on ---- */

/* The end of the largest epoch that both logs may have, by what the leader says of its own; -1:
 * there is none. */
static int64_t cut_of(const struct log *log, const struct replica_place_partition *place)
{
    int32_t epoch;
    int64_t end;
    log_epoch_end(log, -1, place->epoch, &epoch, &end);
    if (epoch < 0)
        return -1;
    return epoch == place->epoch && place->end_offset < end ? place->end_offset : end;
}

static const char *follow_cut(struct replica_follower *follow,
                              const struct replica_place_partition *place)
{
    const struct log *log = follow->partition->log;
    const int64_t cut = cut_of(log, place);
    if (cut >= log_end(log))
        return "it wants a log cut beyond its end";
    if (cut < log_start(log)) /* no epoch of it is the leader's */
        partition_begin_anew(follow->partition, log_start(log));
    else
        partition_cut(follow->partition, cut);
    follow_load(follow);
    return NULL;
}

static const char *follow_place(struct replica_follower *follow,
                                const struct replica_place_partition *place)
{
    const struct log *log = follow->partition->log;
    if (follow->state == FOLLOW_FOLLOWING && place->verdict == PLACE_GO_ON) {
        /* To a question that was asked again: with it the leader forgot what was acknowledged. */
        follow->told_written = -1;
        follow_acknowledge(follow);
        return NULL;
    }
    if (place->verdict == PLACE_ASK || follow->state == FOLLOW_FOLLOWING) {
        if (follow->state != FOLLOW_LOADING)
            follow_ask(follow);
        return NULL;
    }
    if (follow->state != FOLLOW_ASKING || log_state(log) != LOG_READY ||
        place->asked_offset != follow->asked_end || follow->asked_end != log_end(log))
        return NULL; /* of an earlier question */
    switch (place->verdict) {
    case PLACE_GO_ON:
        list_remove(&follow->ask_place);
        follow->state = FOLLOW_FOLLOWING;
        follow->told_written = -1;
        follow_acknowledge(follow);
        return NULL;
    case PLACE_CUT:
        return follow_cut(follow, place);
    case PLACE_BEGIN:
        if (place->end_offset < 0 || place->end_offset > LOG_OFFSET_MAX)
            return "it wants a log to begin nowhere";
        partition_begin_anew(follow->partition, place->end_offset);
        follow_load(follow);
        return NULL;
    default:
        return "it answers in an unknown way where to go on";
    }
}

const char *follow_placed(struct replicas *replicas, const struct peer_message *message)
{
    struct replica_place places;
    if (wire_decode(&wire_replica_place, message->version, message->body, &replicas->arena,
                    &places) != ERR_NONE)
        return "an answer where to go on is malformed";
    const char *why = NULL;
    for (int32_t i = 0; i < places.partitions_count && why == NULL; i++) {
        const struct replica_place_partition *place = &places.partitions[i];
        struct replica_follower *follow = follow_of(replicas, message->node_id, place->topic_id,
                                                    place->partition, place->leader_epoch);
        if (follow != NULL)
            why = follow_place(follow, place);
    }
    return why;
}

/* ---- What comes ---- */

static void follow_told(struct replica_follower *follow, int64_t high_watermark, int64_t start)
{
    if (follow->leader_watermark < high_watermark)
        follow->leader_watermark = high_watermark;
    follow->leader_start = start;
    follow_watermark(follow);
    follow_start(follow);
}

static const char *append_one(struct replica_follower *follow, struct buffer *buffer,
                              struct span batch, const struct batch_info *info)
{
    struct log *log = follow->partition->log;
    if (batch_last_offset(info) < log_end(log))
        return NULL; /* it was sent again after the link had ended */
    if (info->leader_epoch > follow->epoch)
        return "a batch is of a later leader epoch than its leader";
    struct log_append append = {
        .buffer = buffer,
        .batch = buffer->data + (batch.data - buffer->data),
        .length = (uint32_t)batch.length,
        .info = info,
    };
    switch (log_append_led(log, &append)) {
    case ERR_NONE:
        return NULL;
    case ERR_FENCED_LEADER_EPOCH:
        return "a batch is of an earlier leader epoch than the one before it";
    case ERR_OFFSET_OUT_OF_RANGE:
        return "a batch lies beside the end of the log";
    default:
        return "a batch leaves a gap";
    }
}

static const char *append_all(struct replica_follower *follow, struct buffer *buffer,
                              struct span records)
{
    const char *why = NULL;
    while (records.length > 0 && why == NULL) {
        struct span batch;
        struct batch_info info;
        if (batch_next(records, records.length, BATCH_CHECK_CRC, &batch, &info) != BATCH_FOUND)
            return "what it appends is no batch of records";
        why = append_one(follow, buffer, batch, &info);
        records = span_of(records.data + batch.length, records.length - batch.length);
    }
    return why;
}

const char *follow_appended(struct replicas *replicas, const struct peer_message *message)
{
    struct replica_append append;
    if (wire_decode(&wire_replica_append, message->version, message->body, &replicas->arena,
                    &append) != ERR_NONE)
        return "an append is malformed";
    struct replica_follower *follow = follow_of(replicas, message->node_id, append.topic_id,
                                                append.partition, append.leader_epoch);
    if (follow == NULL || follow->state != FOLLOW_FOLLOWING ||
        log_state(follow->partition->log) != LOG_READY)
        return NULL;
    if (append.offset > log_end(follow->partition->log)) {
        follow_ask(follow); /* some of it was lost */
        return NULL;
    }
    const char *why = append_all(follow, message->buffer, append.records);
    if (why == NULL)
        follow_told(follow, append.high_watermark, append.log_start);
    else
        follow_ask(follow);
    return why;
}

const char *follow_marked(struct replicas *replicas, const struct peer_message *message)
{
    struct replica_mark marks;
    if (wire_decode(&wire_replica_mark, message->version, message->body, &replicas->arena,
                    &marks) != ERR_NONE)
        return "a mark is malformed";
    for (int32_t i = 0; i < marks.partitions_count; i++) {
        const struct replica_mark_partition *mark = &marks.partitions[i];
        struct replica_follower *follow = follow_of(replicas, message->node_id, mark->topic_id,
                                                    mark->partition, mark->leader_epoch);
        if (follow != NULL && follow->state == FOLLOW_FOLLOWING &&
            log_state(follow->partition->log) == LOG_READY)
            follow_told(follow, mark->high_watermark, mark->log_start);
    }
    return NULL;
}
