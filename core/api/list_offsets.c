/* SPDX-License-Identifier: Apache-2.0 */
/* ListOffsets: offsets by time, and the special times (KIP-79, KIP-734, KIP-405, KIP-1005). */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/lease.h"
#include "core/partition.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define TIME_LATEST                  (-1) /* the high watermark */
#define TIME_EARLIEST                (-2) /* the log start */
#define TIME_MAX_TIMESTAMP           (-3) /* the record with the greatest time */
#define TIME_EARLIEST_LOCAL          (-4) /* as the earliest: there is no tiered storage */
#define TIME_LATEST_TIERED           (-5) /* none: there is no tiered storage */
#define TIME_EARLIEST_PENDING_UPLOAD (-6) /* none, likewise */

/* Clients of earlier versions do not know OFFSET_NOT_AVAILABLE (KIP-207). */
#define VERSION_WITH_NOT_AVAILABLE 5

struct list_offsets;

struct list_part {
    struct list_offsets *list;
    struct span topic;
    const struct list_offsets_request_topic_partition *in;
    struct list_offsets_response_topic_partition *out;
    struct partition *partition;
    struct log_waiter waiter;
    struct log_time time;
    bool finding; /* `time` is under way */
};

struct list_offsets {
    struct broker *broker;
    struct request *request;
    struct list_offsets_response *response;
    struct list_part *parts;
    uint32_t parts_count;
    uint32_t pending;
};

static void part_end(struct list_part *part, int error)
{
    struct list_offsets *list = part->list;
    part->out->error_code = (int16_t)error;
    if (error == ERR_NONE) {
        list->request->is_promise = true;
    } else {
        part->out->timestamp = -1;
        part->out->offset = -1;
        part->out->leader_epoch = -1;
    }
    if (--list->pending == 0)
        request_reply(list->request, list->response);
}

/* The offset from which on the leader's own epoch counts. */
static int64_t epoch_start(const struct partition *partition)
{
    const int32_t epoch = partition_leader_epoch(partition);
    int32_t before;
    int64_t start;
    if (log_last_epoch(partition->log) < epoch)
        return log_end(partition->log);
    log_epoch_end(partition->log, INT32_MIN, epoch - 1, &before, &start);
    return start;
}

/* Clients ask again for it. */
static int not_available(const struct list_part *part)
{
    return part->list->request->version >= VERSION_WITH_NOT_AVAILABLE ? ERR_OFFSET_NOT_AVAILABLE
                                                                      : ERR_LEADER_NOT_AVAILABLE;
}

/* A new leader may not know yet how much of what it took over is committed: what it says of the end
 * would lie before what the old one has said (KIP-207). */
static int end_check(const struct list_part *part)
{
    return part->partition->high_watermark >= epoch_start(part->partition) ? ERR_NONE
                                                                           : not_available(part);
}

static void part_found(struct log_time *time)
{
    struct list_part *part = container_of(time, struct list_part, time);
    part->finding = false;
    if (time->error == ERR_NONE && time->offset < 0)
        time->error = end_check(part); /* it may be among what is not known to be committed */
    part->out->timestamp = time->offset < 0 ? -1 : time->found_ms;
    part->out->offset = time->offset;
    part->out->leader_epoch = time->offset < 0 ? -1 : time->leader_epoch;
    part_end(part, partition_read_failed(part->partition, time->error));
}

/* An end of the log: its epoch is that of the batch which an offset there belongs to. */
static void part_answer(struct list_part *part, int64_t offset, int32_t epoch)
{
    part->out->offset = offset;
    part->out->leader_epoch = epoch;
    part_end(part, ERR_NONE);
}

static void part_look(struct list_part *part)
{
    struct partition *partition = part->partition;
    const int64_t high_watermark = partition->high_watermark;
    switch (part->in->timestamp) {
    case TIME_LATEST:
        if (end_check(part) != ERR_NONE)
            part_end(part, end_check(part));
        else
            part_answer(part, high_watermark, partition_leader_epoch(partition));
        return;
    case TIME_EARLIEST:
    case TIME_EARLIEST_LOCAL:
        part_answer(part, log_start(partition->log),
                    log_epoch_at(partition->log, log_start(partition->log)));
        return;
    case TIME_LATEST_TIERED:
    case TIME_EARLIEST_PENDING_UPLOAD:
        part_answer(part, -1, -1);
        return;
    default:
        break;
    }
    part->time = (struct log_time){
        .timestamp_ms =
            part->in->timestamp == TIME_MAX_TIMESTAMP ? LOG_TIME_MAX : part->in->timestamp,
        .end_offset = high_watermark,
        .done = part_found,
    };
    part->finding = true;
    log_time(partition->log, &part->time);
}

/* The special times came one by one (versions 7, 8, 9, 11); below zero there is nothing else. */
static int time_check(int16_t version, int64_t timestamp)
{
    if (timestamp < TIME_EARLIEST_PENDING_UPLOAD ||
        (timestamp == TIME_MAX_TIMESTAMP && version < 7) ||
        (timestamp == TIME_EARLIEST_LOCAL && version < 8) ||
        (timestamp == TIME_LATEST_TIERED && version < 9) ||
        (timestamp == TIME_EARLIEST_PENDING_UPLOAD && version < 11))
        return ERR_UNSUPPORTED_VERSION;
    return ERR_NONE;
}

static void part_start(struct list_part *part)
{
    struct list_offsets *list = part->list;
    part->out->partition_index = part->in->partition_index;
    int error = time_check(list->request->version, part->in->timestamp);
    if (error == ERR_NONE)
        error = partition_by_name(list->broker, part->topic, part->in->partition_index,
                                  &part->partition);
    if (error == ERR_NONE)
        error = partition_check_epoch(part->partition, part->in->current_leader_epoch);
    /* Another one may lead, and have told a later start or end of the log. */
    if (error == ERR_NONE && !lease_holds(list->broker))
        error = not_available(part);
    if (error != ERR_NONE)
        part_end(part, error);
    else if (partition_load(part->partition, &part->waiter))
        part_look(part);
}

static void part_loaded(struct log_waiter *waiter, int error)
{
    struct list_part *part = container_of(waiter, struct list_part, waiter);
    if (error != ERR_NONE)
        part_end(part, error);
    else
        part_start(part); /* another node may lead meanwhile */
}

static void list_cancel(struct request *request)
{
    struct list_offsets *list = request->state;
    for (uint32_t i = 0; i < list->parts_count; i++) {
        list_remove(&list->parts[i].waiter.place);
        if (list->parts[i].finding)
            log_time_cancel(&list->parts[i].time);
    }
}

static bool list_prepare(struct list_offsets *list, const struct list_offsets_request *body)
{
    struct arena *arena = &list->request->arena;
    size_t count = 0;
    for (int32_t i = 0; i < body->topics_count; i++)
        count += (size_t)body->topics[i].partitions_count;
    struct list_offsets_response_topic *topics =
        arena_array(arena, (size_t)body->topics_count, sizeof(*topics));
    list->parts = arena_array(arena, count, sizeof(*list->parts));
    if (topics == NULL || list->parts == NULL)
        return false;
    list->response->topics = topics;
    list->response->topics_count = body->topics_count;
    for (int32_t i = 0; i < body->topics_count; i++) {
        const struct list_offsets_request_topic *topic = &body->topics[i];
        struct list_offsets_response_topic_partition *outs =
            arena_array(arena, (size_t)topic->partitions_count, sizeof(*outs));
        if (outs == NULL)
            return false;
        topics[i].name = topic->name;
        topics[i].partitions = outs;
        topics[i].partitions_count = topic->partitions_count;
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            struct list_part *part = &list->parts[list->parts_count++];
            outs[j] = wire_default_list_offsets_response_topic_partition;
            part->list = list;
            part->topic = topic->name;
            part->in = &topic->partitions[j];
            part->out = &outs[j];
            part->waiter.wake = part_loaded;
            list_init(&part->waiter.place);
        }
    }
    return true;
}

void list_offsets_handle(struct broker *broker, struct request *request)
{
    const struct list_offsets_request *body = request->body;
    struct list_offsets *list = arena_take(&request->arena, sizeof(*list));
    struct list_offsets_response *response = request_response(request);
    if (list == NULL || response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    list->broker = broker;
    list->request = request;
    list->response = response;
    request->state = list;
    if (!list_prepare(list, body)) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    list->pending = list->parts_count + 1;
    for (uint32_t i = 0; i < list->parts_count; i++)
        part_start(&list->parts[i]);
    if (--list->pending == 0)
        request_reply(request, response);
    else
        request->cancel = list_cancel;
}
