/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one follower of one partition is sent: batches from the tail while it keeps up, else from
 * the log, as far as the window goes and the link has room.
 */
#include "core/base/check.h"
#include "core/conf/conf.h"
#include "core/replica/internal.h"
#include "core/wire/error.h"

#define US_PER_S ((uint64_t)1000 * 1000)

void replica_stream_init(struct replica_stream *stream, struct replica_leader *lead,
                         struct replica_node *node)
{
    const uint64_t now_us = lead->replicas->io->now_us;
    *stream = (struct replica_stream){
        .lead = lead,
        .node = node,
        .broker_epoch = -1,
        .written_end = -1,
        .durable_end = -1,
        .log_start = -1,
        .caught_up_us = now_us,
        .noted_us = now_us,
        .noted_end = INT64_MAX,
        .proposed_at = -1,
    };
    list_append(&node->streams, &stream->place);
    list_init(&stream->answer_place);
    list_init(&stream->mark_place);
    list_init(&stream->catch_place);
    list_init(&stream->behind_place);
}

void replica_stream_free(struct replica_stream *stream)
{
    replica_stream_stop(stream);
    list_remove(&stream->place);
    list_remove(&stream->answer_place);
    list_remove(&stream->behind_place);
}

/* ---- The window: marks in order of offsets; the last one takes in what finds no room. ---- */

static struct in_flight *mark_at(struct replica_stream *stream, uint32_t index)
{
    return &stream->in_flight[(stream->in_flight_first + index) % IN_FLIGHT_MARKS];
}

static void window_add(struct replica_stream *stream, int64_t end_offset, uint32_t bytes)
{
    if (stream->in_flight_count < IN_FLIGHT_MARKS)
        *mark_at(stream, stream->in_flight_count++) = (struct in_flight){0};
    struct in_flight *mark = mark_at(stream, stream->in_flight_count - 1);
    mark->end_offset = end_offset;
    mark->bytes += bytes;
    stream->in_flight_bytes += bytes;
    stream->node->in_flight_bytes += bytes;
}

void replica_stream_answered(struct replica_stream *stream, int64_t end_offset)
{
    while (stream->in_flight_count > 0 && mark_at(stream, 0)->end_offset <= end_offset) {
        const uint64_t bytes = mark_at(stream, 0)->bytes;
        stream->in_flight_bytes -= bytes;
        stream->node->in_flight_bytes -= bytes;
        stream->in_flight_first = (stream->in_flight_first + 1) % IN_FLIGHT_MARKS;
        stream->in_flight_count--;
    }
}

static bool window_is_open(const struct replica_stream *stream)
{
    return stream->in_flight_bytes == 0 || (stream->in_flight_bytes < STREAM_IN_FLIGHT_MAX &&
                                            stream->node->in_flight_bytes < NODE_IN_FLIGHT_MAX);
}

/* ---- Begin and end ---- */

void replica_stream_start(struct replica_stream *stream, int64_t offset)
{
    replica_stream_stop(stream);
    stream->is_sending = true;
    stream->began_at = offset;
    stream->next = offset;
    stream->marked_watermark = -1;
    stream->marked_start = -1;
    replica_stream_watermark_moved(stream);
    lead_wake(stream->lead);
}

void replica_stream_stop(struct replica_stream *stream)
{
    stream->is_sending = false;
    replica_stream_answered(stream, INT64_MAX);
    catch_up_stop(stream);
    list_remove(&stream->mark_place);
}

void replica_stream_resend(struct replica_stream *stream)
{
    if (!stream->is_sending)
        return;
    catch_up_stop(stream);
    replica_stream_answered(stream, INT64_MAX);
    stream->next = stream->written_end > stream->began_at ? stream->written_end : stream->began_at;
    stream->marked_watermark = -1;
    replica_stream_watermark_moved(stream);
    lead_wake(stream->lead);
}

int64_t replica_stream_safe_end(const struct replica_stream *stream)
{
    if (!stream->is_sending)
        return -1;
    return log_is_write_cached(stream->lead->partition->log) ? stream->written_end
                                                             : stream->durable_end;
}

void replica_stream_watermark_moved(struct replica_stream *stream)
{
    const struct partition *partition = stream->lead->partition;
    if (!stream->is_sending || !list_empty(&stream->mark_place) ||
        (stream->marked_watermark == partition->high_watermark &&
         stream->marked_start == log_start(partition->log)))
        return;
    list_append(&stream->node->to_mark, &stream->mark_place);
    replicas_wake(stream->lead->replicas);
}

/* ---- Sending ---- */

/* False when it could not be sent now. */
static bool stream_send(struct replica_stream *stream, struct buffer *buffer, struct span batches,
                        int64_t end_offset)
{
    const struct replica_leader *lead = stream->lead;
    const struct partition *partition = lead->partition;
    const struct replica_append message = {
        .topic_id = partition->topic->id,
        .partition = partition->index,
        .leader_epoch = lead->epoch,
        .offset = stream->next,
        .high_watermark = partition->high_watermark,
        .log_start = log_start(partition->log),
        .records = {NULL, batches.length},
    };
    const int error = peers_send(lead->replicas->peers, stream->node->id, REPLICA_TYPE_APPEND,
                                 &wire_replica_append, &message, buffer, batches);
    if (error == ERR_LIMIT)
        stream->node->is_full = true;
    if (error == ERR_CLOSED)
        stream->node->is_up = false; /* which is told of at the turn's end */
    if (error != ERR_NONE)
        return false;
    window_add(stream, end_offset, (uint32_t)batches.length);
    stream->next = end_offset;
    stream->marked_watermark = message.high_watermark;
    stream->marked_start = message.log_start;
    list_remove(&stream->mark_place);
    return true;
}

void replica_stream_pump(struct replica_stream *stream)
{
    const struct replica_leader *lead = stream->lead;
    const struct replica_node *node = stream->node;
    while (stream->is_sending && node->is_up && !node->is_full && window_is_open(stream) &&
           stream->next < log_end(lead->partition->log)) {
        const struct tail_batch *batch = tail_find(&lead->tail, stream->next);
        if (batch == NULL) {
            if (list_empty(&stream->catch_place))
                list_append(&stream->node->lagging, &stream->catch_place);
            catch_up_next(stream->node);
            return;
        }
        if (!stream_send(stream, batch->buffer, span_of(batch->data, batch->length),
                         batch->end_offset))
            return;
    }
}

/* ---- How much may be read for those who catch up ---- */

static uint64_t throttle_rate(const struct replicas *replicas)
{
    return (uint64_t)conf_int(replicas->broker->conf, CONF_LEADER_REPLICATION_THROTTLED_RATE);
}

/* In one go: what takes an eighth of a second, so that it flows. */
static uint32_t throttle_bytes(const struct replicas *replicas)
{
    const uint64_t bytes = throttle_rate(replicas) / 8;
    return bytes < APPEND_BYTES_MAX ? (uint32_t)bytes : APPEND_BYTES_MAX;
}

static void throttle_over(struct timer *timer)
{
    struct replicas *replicas = container_of(timer, struct replicas, throttle_timer);
    replicas_wake(replicas); /* every node's next */
}

bool catch_up_is_throttled(const struct replicas *replicas)
{
    return replicas->io->now_us < replicas->throttled_until_us;
}

static bool has_to_wait(struct replicas *replicas)
{
    if (!catch_up_is_throttled(replicas))
        return false;
    timer_set(&replicas->io->timers, &replicas->throttle_timer, replicas->throttled_until_us,
              throttle_over);
    return true;
}

static void throttle_spend(struct replicas *replicas, uint32_t bytes)
{
    if (replicas->throttled_until_us < replicas->io->now_us)
        replicas->throttled_until_us = replicas->io->now_us;
    replicas->throttled_until_us += bytes * US_PER_S / throttle_rate(replicas);
}

/* ---- From the log ---- */

/* Enough was gathered. */
#define SCAN_ENOUGH ERR_LIMIT

/* A batch begins before the follower does, which has to begin with it. */
#define SCAN_STRADDLES ERR_OFFSET_OUT_OF_RANGE

bool replica_stream_can_begin(const struct replica_stream *stream, int64_t offset)
{
    const int64_t start = log_start(stream->lead->partition->log);
    return offset >= start || (offset == stream->straddle_base && start < stream->straddle_end);
}

static int catch_up_batch(struct log_scan *scan, struct span batch)
{
    struct replica_catch_up *catch_up = container_of(scan, struct replica_catch_up, scan);
    struct replica_stream *stream = catch_up->stream;
    struct batch_info info;
    batch_info_read(batch.data, &info);
    if (info.base_offset < stream->next && batch_last_offset(&info) >= stream->next) {
        stream->straddle_base = info.base_offset;
        stream->straddle_end = batch_last_offset(&info) + 1;
        return SCAN_STRADDLES;
    }
    if (catch_up->length > 0 && catch_up->length + batch.length > catch_up->buffer->capacity)
        return SCAN_ENOUGH;
    if (catch_up->buffer == NULL) {
        const uint32_t most = throttle_bytes(stream->lead->replicas);
        const size_t room = batch.length > most ? batch.length : most;
        catch_up->buffer =
            buffer_new(stream->lead->replicas->io->memory, MEMORY_READ, (uint32_t)room);
        if (catch_up->buffer == NULL)
            return ERR_ARENA_FULL; /* it is tried again with the next wake */
    }
    memcpy(catch_up->buffer->data + catch_up->length, batch.data, batch.length);
    catch_up->length += (uint32_t)batch.length;
    catch_up->end_offset = batch_last_offset(&info) + 1;
    return ERR_NONE;
}

/* Without progress the same would be tried again at once, and fail again. */
static void retry(struct timer *timer)
{
    replicas_wake_streams(container_of(timer, struct replica_node, retry_timer));
}

static void catch_up_done(struct log_scan *scan, int error)
{
    struct replica_catch_up *catch_up = container_of(scan, struct replica_catch_up, scan);
    struct replica_stream *stream = catch_up->stream;
    struct replica_node *node = stream->node;
    struct io *io = node->replicas->io;
    struct buffer *buffer = catch_up->buffer;
    const uint32_t length = catch_up->length;
    const int64_t end_offset = catch_up->end_offset;
    *catch_up = (struct replica_catch_up){0};
    bool is_sent = false;
    if ((error == ERR_NONE || error == SCAN_ENOUGH) && length > 0 && end_offset > stream->next)
        is_sent = stream_send(stream, buffer, span_of(buffer->data, length), end_offset);
    if (is_sent)
        throttle_spend(node->replicas, length);
    buffer_release(buffer);
    if (error == ERR_CORRUPT_MESSAGE)
        replica_offline(stream->lead->partition);
    if (error == SCAN_STRADDLES)
        replica_stream_ask_to_ask(stream);
    else if (is_sent)
        lead_wake(stream->lead);
    else
        timer_set(&io->timers, &node->retry_timer, io->now_us + CATCH_UP_AGAIN_US, retry);
    replicas_wake(node->replicas);
}

void replica_stream_ask_to_ask(struct replica_stream *stream)
{
    const struct replica_leader *lead = stream->lead;
    replica_stream_stop(stream);
    stream->answer = (struct replica_place_partition){.verdict = PLACE_ASK, .epoch = -1};
    if (list_empty(&stream->answer_place))
        list_append(&stream->node->to_place, &stream->answer_place);
    replicas_wake(lead->replicas);
}

static void catch_up_start(struct replica_stream *stream)
{
    struct log *log = stream->lead->partition->log;
    stream->node->catch_up = (struct replica_catch_up){
        .stream = stream,
        .scan = {.offset = stream->next,
                 .end_offset = log_written_end(log),
                 .batch = catch_up_batch,
                 .done = catch_up_done},
    };
    log_scan(log, &stream->node->catch_up.scan);
}

/* What is not written yet is waited for: the log tells. */
void catch_up_next(struct replica_node *node)
{
    struct list *place;
    if (list_empty(&node->lagging) || has_to_wait(node->replicas))
        return;
    while (node->catch_up.stream == NULL && (place = list_pop(&node->lagging)) != NULL) {
        struct replica_stream *stream = container_of(place, struct replica_stream, catch_place);
        const struct log *log = stream->lead->partition->log;
        if (log_state(log) != LOG_READY || stream->next >= log_written_end(log))
            continue;
        if (!replica_stream_can_begin(stream, stream->next))
            replica_stream_ask_to_ask(stream); /* where to begin anew */
        else
            catch_up_start(stream);
    }
}

void catch_up_stop(struct replica_stream *stream)
{
    struct replica_catch_up *catch_up = &stream->node->catch_up;
    list_remove(&stream->catch_place);
    if (catch_up->stream != stream)
        return;
    log_scan_cancel(&catch_up->scan);
    buffer_release(catch_up->buffer);
    *catch_up = (struct replica_catch_up){0};
    replicas_wake(stream->lead->replicas);
}
