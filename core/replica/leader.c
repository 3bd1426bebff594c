/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition that this broker leads and others follow, for one leader epoch.
 *
 * The high watermark is the least safe end over the maximal ISR: those in sync by the image, and
 * those that are proposed to be and may be already (KIP-497). It stays where it is while the ISR
 * is smaller than min.insync.replicas (KIP-966). So does the low watermark, the least log start.
 */
#include "core/base/check.h"
#include "core/conf/topic_conf.h"
#include "core/replica/internal.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

static void lead_consider(struct replica_leader *lead);

static void lead_loaded(struct log_waiter *waiter, int error)
{
    struct replica_leader *lead = container_of(waiter, struct replica_leader, waiter);
    if (log_state(lead->partition->log) == LOG_OFFLINE)
        replica_offline(lead->partition);
    if (error == ERR_NONE && partition_load(lead->partition, waiter))
        replica_leader_ready(lead);
}

void lead_begin(struct replicas *replicas, struct partition *partition,
                const struct meta_partition *meta)
{
    const uint32_t count = meta->replicas_count - 1u;
    struct replica_leader *lead = memory_take(replicas->io->memory, MEMORY_STATE,
                                              sizeof(*lead) + count * sizeof(*lead->streams));
    lead->replicas = replicas;
    lead->partition = partition;
    lead->epoch = meta->leader_epoch;
    lead->start_offset = -1;
    lead->waiter.wake = lead_loaded;
    list_init(&lead->waiter.place);
    list_init(&lead->pump_place);
    list_init(&lead->isr_place);
    list_init(&lead->tail_place);
    list_append(&replicas->leads, &lead->place);
    partition->leading = lead;
    for (uint32_t i = 0; i < meta->replicas_count; i++) {
        const int32_t id = meta_replicas(meta)[i];
        if (id == replicas->broker->conf->node_id)
            continue;
        struct replica_stream *stream = &lead->streams[lead->streams_count++];
        replica_stream_init(stream, lead, replicas_node(replicas, id));
        /* Who knew of this leader before it did has asked too early. */
        replica_stream_ask_to_ask(stream);
        if (meta_is_member(meta_isr(meta), meta->isr_count, id))
            isr_fell_behind(stream);
    }
    CHECK(lead->streams_count == count); /* a leader is one of the replicas, once */
    if (partition_load(partition, &lead->waiter))
        replica_leader_ready(lead);
}

/* ---- What was just appended, in memory ---- */

static void lead_drop_tail(struct replica_leader *lead)
{
    lead->replicas->tails_held_bytes -= lead->tail.held_bytes;
    list_remove(&lead->tail_place);
    tail_free(&lead->tail, lead->replicas->io->memory);
}

static uint64_t tails_held_max(const struct memory *memory)
{
    const uint64_t part = memory->limit_bytes[MEMORY_RECEIVE] / TAILS_HELD_PART;
    return part == 0 || part > TAILS_HELD_MAX ? TAILS_HELD_MAX : part;
}

/* Where all tails hold too much, those go that nobody has added to for longest: the log has what
 * was in them. */
static void lead_add_to_tail(struct replica_leader *lead, const struct log_append *append)
{
    struct replicas *replicas = lead->replicas;
    struct memory *memory = replicas->io->memory;
    const uint64_t before = lead->tail.held_bytes;
    tail_add(&lead->tail, memory, append);
    replicas->tails_held_bytes += lead->tail.held_bytes - before;
    list_remove(&lead->tail_place);
    list_append(&replicas->tails, &lead->tail_place);
    while (replicas->tails_held_bytes > tails_held_max(memory))
        lead_drop_tail(container_of(replicas->tails.next, struct replica_leader, tail_place));
}

/* Somebody may be sent from memory what is appended now: who cannot be reached reads the log. */
static bool is_awaited(const struct replica_stream *stream)
{
    return stream->is_sending && stream->node->is_up;
}

void lead_pump(struct replica_leader *lead)
{
    const uint64_t before = lead->tail.held_bytes;
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        struct replica_stream *stream = &lead->streams[i];
        replica_stream_pump(stream);
        if (is_awaited(stream) && stream->next < least)
            least = stream->next;
    }
    tail_drop(&lead->tail, least);
    lead->replicas->tails_held_bytes -= before - lead->tail.held_bytes;
    if (lead->tail.count == 0)
        list_remove(&lead->tail_place);
}

void lead_end(struct replica_leader *lead)
{
    struct memory *memory = lead->replicas->io->memory;
    list_remove(&lead->waiter.place);
    list_remove(&lead->pump_place);
    list_remove(&lead->isr_place);
    list_remove(&lead->place);
    for (uint32_t i = 0; i < lead->streams_count; i++)
        replica_stream_free(&lead->streams[i]);
    lead_drop_tail(lead);
    lead->partition->leading = NULL;
    memory_give(memory, MEMORY_STATE, lead,
                sizeof(*lead) + lead->streams_count * sizeof(*lead->streams));
}

void replica_leader_ready(struct replica_leader *lead)
{
    if (lead->start_offset >= 0 || lead->has_failed)
        return;
    list_remove(&lead->waiter.place);
    lead->start_offset = log_end(lead->partition->log);
    /* What was deleted had been committed, and followers delete no more than that. */
    if (lead->partition->high_watermark < log_start(lead->partition->log))
        partition_raise_watermark(lead->partition, log_start(lead->partition->log));
    lead_consider(lead);
    lead_watermark(lead);
}

int64_t replica_leader_start(const struct replica_leader *lead)
{
    return lead->start_offset;
}

void lead_wake(struct replica_leader *lead)
{
    if (list_empty(&lead->pump_place))
        list_append(&lead->replicas->to_pump, &lead->pump_place);
    replicas_wake(lead->replicas);
}

/* ---- What the log tells ---- */

void replica_leader_appended(struct replica_leader *lead, const struct log_append *append)
{
    bool is_sent = false;
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        struct replica_stream *stream = &lead->streams[i];
        is_sent |= is_awaited(stream);
        isr_fell_behind(stream);
    }
    if (!is_sent)
        return;
    lead_add_to_tail(lead, append);
    lead_wake(lead);
}

void replica_leader_advanced(struct replica_leader *lead)
{
    if (lead->has_failed)
        return;
    lead_watermark(lead);
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        struct replica_stream *stream = &lead->streams[i];
        replica_stream_watermark_moved(stream); /* or the log's start */
        if (stream->is_sending && stream->next < log_written_end(lead->partition->log))
            lead_wake(lead);
    }
}

void replica_leader_failed(struct replica_leader *lead)
{
    lead->has_failed = true;
    list_remove(&lead->isr_place);
    for (uint32_t i = 0; i < lead->streams_count; i++)
        replica_stream_stop(&lead->streams[i]);
    lead_drop_tail(lead);
}

/* ---- The high watermark, and the low one ---- */

uint32_t lead_isr_least(const struct replica_leader *lead, const struct meta_partition *meta)
{
    const struct image *image = &lead->replicas->broker->image;
    const struct meta_topic *topic = image_topic_by_id(image, lead->partition->topic->id);
    struct topic_conf_agreed rules;
    image_topic_rules(image, topic, &rules);
    return meta_isr_least(rules.min_insync_replicas, meta->replicas_count);
}

static bool counts(const struct replica_stream *stream, const struct meta_partition *meta)
{
    return stream->proposed_at >= 0 ||
           meta_is_member(meta_isr(meta), meta->isr_count, stream->node->id);
}

/* The partition as the image has it, when what its replicas have can be told by it; or NULL. */
static const struct meta_partition *counted_by(const struct replica_leader *lead)
{
    const struct meta_partition *meta = replica_meta(lead->partition);
    return lead->start_offset < 0 || lead->has_failed || meta == NULL ||
                   meta->leader_epoch != lead->epoch || meta->isr_count < lead_isr_least(lead, meta)
               ? NULL
               : meta;
}

/* A follower of a version of the protocol that has no log start in its acknowledgements is not
 * waited for: while a cluster is upgraded, a failover may take back what was deleted. */
int64_t replica_leader_low_watermark(const struct replica_leader *lead)
{
    const struct meta_partition *meta = counted_by(lead);
    if (meta == NULL)
        return -1;
    int64_t least = log_start(lead->partition->log);
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        const struct replica_stream *stream = &lead->streams[i];
        const int64_t start = stream->is_sending ? stream->log_start : -1;
        if (counts(stream, meta) && start < least)
            least = start;
    }
    return least;
}

void lead_watermark(struct replica_leader *lead)
{
    struct partition *partition = lead->partition;
    partition_low_watermark_moved(partition);
    const struct meta_partition *meta = counted_by(lead);
    if (meta == NULL)
        return;
    int64_t least = log_safe_end(partition->log);
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        const struct replica_stream *stream = &lead->streams[i];
        if (counts(stream, meta) && replica_stream_safe_end(stream) < least)
            least = replica_stream_safe_end(stream);
    }
    if (least <= partition->high_watermark)
        return;
    partition_raise_watermark(partition, least);
    for (uint32_t i = 0; i < lead->streams_count; i++)
        replica_stream_watermark_moved(&lead->streams[i]);
}

/* ---- Who follows ---- */

struct replica_stream *lead_stream(struct replica_leader *lead, int32_t node_id)
{
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        if (lead->streams[i].node->id == node_id)
            return &lead->streams[i];
    }
    return NULL;
}

/* The asker's log ends where this one begins, or before. Of what was there the last epoch is known,
 * at most: that of the record at the start may be the same. Records of another one may be such as
 * were never committed. */
static bool ends_in_the_unknown(const struct replica_stream *stream)
{
    const struct log *log = stream->lead->partition->log;
    const int64_t start = log_start(log);
    return stream->asked_last_epoch >= 0 && stream->asked_end <= start &&
           stream->asked_last_epoch != log_epoch_below(log) &&
           stream->asked_last_epoch != log_epoch_at(log, start);
}

/* Where the asker's log goes on: KIP-101, KIP-279. */
static struct replica_place_partition place_of(const struct replica_stream *stream)
{
    const struct replica_leader *lead = stream->lead;
    const struct log *log = lead->partition->log;
    struct replica_place_partition place = {
        .asked_offset = stream->asked_end, .epoch = -1, .end_offset = log_start(log)};
    place.verdict = PLACE_BEGIN;
    if (stream->asked_last_epoch < 0 && stream->asked_end > stream->straddle_base &&
        stream->asked_end < stream->straddle_end) {
        place.end_offset = stream->straddle_base;
        return place;
    }
    if (!replica_stream_can_begin(stream, stream->asked_end))
        return place;
    if (ends_in_the_unknown(stream)) {
        place.end_offset = stream->asked_end;
        return place;
    }
    if (stream->asked_last_epoch < 0) { /* it is empty */
        place.verdict = stream->asked_end <= log_end(log) ? PLACE_GO_ON : PLACE_BEGIN;
        return place;
    }
    log_epoch_end(log, lead->epoch, stream->asked_last_epoch, &place.epoch, &place.end_offset);
    if (place.epoch < 0)
        place.end_offset = log_start(log);
    else if (place.epoch == stream->asked_last_epoch && stream->asked_end <= place.end_offset)
        place.verdict = PLACE_GO_ON;
    else
        place.verdict = PLACE_CUT;
    return place;
}

/* Answers what was asked, once it can be judged: the asker's image, or this one, may be behind. */
static void stream_consider(struct replica_stream *stream)
{
    struct replica_leader *lead = stream->lead;
    if (!stream->has_asked || lead->start_offset < 0 || lead->has_failed ||
        stream->asked_epoch != lead->epoch ||
        stream->asked_broker_epoch != replicas_broker_epoch(lead->replicas, stream->node->id))
        return;
    stream->has_asked = false;
    stream->answer = place_of(stream);
    if (list_empty(&stream->answer_place))
        list_append(&stream->node->to_place, &stream->answer_place);
    replicas_wake(lead->replicas);
    stream->broker_epoch = stream->asked_broker_epoch;
    stream->written_end = -1;
    stream->durable_end = -1;
    stream->log_start = -1;
    if (stream->answer.verdict == PLACE_GO_ON)
        replica_stream_start(stream, stream->asked_end);
    else
        replica_stream_stop(stream);
}

static void lead_consider(struct replica_leader *lead)
{
    for (uint32_t i = 0; i < lead->streams_count; i++)
        stream_consider(&lead->streams[i]);
}

void lead_changed(struct replica_leader *lead)
{
    const struct image *image = &lead->replicas->broker->image;
    const struct meta_partition *meta = replica_meta(lead->partition);
    if (meta == NULL)
        return;
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        struct replica_stream *stream = &lead->streams[i];
        const int32_t id = stream->node->id;
        if (meta_is_member(meta_isr(meta), meta->isr_count, id) ||
            stream->proposed_at < image->end_offset)
            stream->proposed_at = -1; /* decided: what is proposed is the next record, or none */
        /* Another process than the one that follows; which may have taken the answer to that one's
         * question, that came late, for its own. */
        if (stream->is_sending && stream->broker_epoch != replicas_broker_epoch(lead->replicas, id))
            replica_stream_ask_to_ask(stream);
        isr_fell_behind(stream);
    }
    lead_consider(lead);
    lead_watermark(lead);
    isr_look(lead);
}

const char *lead_asked(struct replicas *replicas, const struct peer_message *message)
{
    struct replica_follow follow;
    if (wire_decode(&wire_replica_follow, message->version, message->body, &replicas->arena,
                    &follow) != ERR_NONE)
        return "a question where to go on is malformed";
    for (int32_t i = 0; i < follow.partitions_count; i++) {
        const struct replica_follow_partition *asked = &follow.partitions[i];
        struct partition *partition = replicas_find(replicas, asked->topic_id, asked->partition);
        if (asked->end_offset < 0 || asked->last_epoch < -1)
            return "it asks where to go on from nowhere";
        struct replica_stream *stream = partition == NULL || partition->leading == NULL
                                            ? NULL
                                            : lead_stream(partition->leading, message->node_id);
        if (stream == NULL || asked->leader_epoch < stream->lead->epoch)
            continue;
        stream->has_asked = true;
        stream->asked_epoch = asked->leader_epoch;
        stream->asked_broker_epoch = follow.broker_epoch;
        stream->asked_end = asked->end_offset;
        stream->asked_last_epoch = asked->last_epoch;
        stream_consider(stream);
    }
    return NULL;
}

/* ---- What was acknowledged ---- */

static void acknowledge(struct replica_stream *stream, const struct replica_ack_partition *ack)
{
    struct replica_leader *lead = stream->lead;
    if (stream->written_end < ack->written_end)
        stream->written_end = ack->written_end;
    if (stream->durable_end < ack->durable_end)
        stream->durable_end = ack->durable_end;
    if (ack->log_start < 0)
        stream->log_start = INT64_MAX;
    else if (stream->log_start < ack->log_start)
        stream->log_start = ack->log_start;
    /* Sent once more after the link had ended, though it had come. */
    if (stream->next < stream->written_end)
        stream->next = stream->written_end;
    replica_stream_answered(stream, stream->written_end);
    isr_noted(stream);
    lead_watermark(lead);
    isr_look(lead);
    if (stream->next < log_end(lead->partition->log))
        lead_wake(lead);
}

const char *lead_acknowledged(struct replicas *replicas, const struct peer_message *message)
{
    struct replica_ack acks;
    if (wire_decode(&wire_replica_ack, message->version, message->body, &replicas->arena, &acks) !=
        ERR_NONE)
        return "an acknowledgement is malformed";
    for (int32_t i = 0; i < acks.partitions_count; i++) {
        const struct replica_ack_partition *ack = &acks.partitions[i];
        struct partition *partition = replicas_find(replicas, ack->topic_id, ack->partition);
        struct replica_leader *lead = partition == NULL ? NULL : partition->leading;
        struct replica_stream *stream = lead == NULL ? NULL : lead_stream(lead, message->node_id);
        if (stream == NULL || ack->leader_epoch != lead->epoch || lead->has_failed)
            continue;
        if (!stream->is_sending && !stream->has_asked)
            replica_stream_ask_to_ask(stream); /* it believes that it follows */
        if (!stream->is_sending || acks.broker_epoch != stream->broker_epoch)
            continue;
        if (ack->written_end > log_end(partition->log) || ack->durable_end > ack->written_end)
            return "it acknowledges what it was not sent";
        acknowledge(stream, ack);
    }
    return NULL;
}
