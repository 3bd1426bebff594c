/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteRecords (KIP-107): moves the log start of partitions forward, durably, on all replicas that
 * are in sync, so that what was deleted stays so, whichever of them leads next. The answer leaves
 * when all parts have ended, or timeout_ms is over.
 */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/partition.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Stands for the high watermark. */
#define OFFSET_HIGH_WATERMARK (-1)

struct delete_records;

struct delete_part {
    struct delete_records *deletion;
    struct span topic;
    const struct delete_records_request_topic_partition *in;
    struct delete_records_response_topic_partition *out;
    struct partition *partition;
    bool ended;
    struct log_waiter waiter; /* first for the log, then for its start to be written */
    struct partition_ack ack;
};

struct delete_records {
    struct broker *broker;
    struct request *request;
    struct delete_records_response *response;
    struct delete_part *parts;
    uint32_t parts_count;
    uint32_t pending; /* parts that have not ended, and one while parts are being started */
    struct timer timer;
};

static void delete_answer(struct delete_records *deletion)
{
    timer_cancel(&deletion->broker->io.timers, &deletion->timer);
    request_reply(deletion->request, deletion->response);
}

static void part_end(struct delete_part *part, int error)
{
    struct delete_records *deletion = part->deletion;
    list_remove(&part->waiter.place);
    list_remove(&part->ack.place);
    part->ended = true;
    part->out->error_code = (int16_t)error;
    if (error == ERR_NONE)
        deletion->request->is_promise = true;
    else
        part->out->low_watermark = -1;
    if (--deletion->pending == 0)
        delete_answer(deletion);
}

static void part_deleted(struct partition_ack *ack, int error)
{
    struct delete_part *part = container_of(ack, struct delete_part, ack);
    if (error == ERR_NONE)
        part->out->low_watermark = partition_low_watermark(part->partition);
    part_end(part, error);
}

/* That the start is written here, the partition has been told. Whatever kept it from that: for a
 * client there is one error. */
static void part_written(struct log_waiter *waiter, int error)
{
    if (error != ERR_NONE)
        part_end(container_of(waiter, struct delete_part, waiter), ERR_KAFKA_STORAGE_ERROR);
}

static void part_delete(struct delete_part *part)
{
    struct partition *partition = part->partition;
    const int64_t offset =
        part->in->offset == OFFSET_HIGH_WATERMARK ? partition->high_watermark : part->in->offset;
    if (offset < 0 || offset > partition->high_watermark) {
        part_end(part, ERR_OFFSET_OUT_OF_RANGE);
        return;
    }
    part->waiter.wake = part_written;
    log_delete_before(partition->log, offset, &part->waiter);
    part->ack.done = part_deleted;
    part->ack.end_offset = offset;
    partition_await(partition, ACK_DELETED, &part->ack);
}

static void part_start(struct delete_part *part)
{
    struct broker *broker = part->deletion->broker;
    part->out->partition_index = part->in->partition_index;
    const struct meta_topic *found = image_topic(&broker->image, part->topic);
    int error = partition_of(broker, found, part->in->partition_index, &part->partition);
    if (error == ERR_NONE) {
        struct topic_conf conf;
        broker_topic_conf(broker, found, &conf);
        if (!conf.cleanup_delete) /* a compacted topic would lose keys that nothing replaces */
            error = ERR_POLICY_VIOLATION;
    }
    if (error != ERR_NONE)
        part_end(part, error);
    else if (partition_load(part->partition, &part->waiter))
        part_delete(part);
}

static void part_loaded(struct log_waiter *waiter, int error)
{
    struct delete_part *part = container_of(waiter, struct delete_part, waiter);
    if (error != ERR_NONE)
        part_end(part, error);
    else
        part_start(part); /* another node may lead meanwhile */
}

static void delete_cancel(struct request *request)
{
    struct delete_records *deletion = request->state;
    timer_cancel(&deletion->broker->io.timers, &deletion->timer);
    for (uint32_t i = 0; i < deletion->parts_count; i++) {
        list_remove(&deletion->parts[i].waiter.place);
        list_remove(&deletion->parts[i].ack.place);
    }
}

/* What is deleted here stays so, and others may still follow: the client asks again or gives up. */
static void delete_timed_out(struct timer *timer)
{
    struct delete_records *deletion = container_of(timer, struct delete_records, timer);
    deletion->pending++;
    for (uint32_t i = 0; i < deletion->parts_count; i++) {
        if (!deletion->parts[i].ended)
            part_end(&deletion->parts[i], ERR_REQUEST_TIMED_OUT);
    }
    if (--deletion->pending == 0)
        delete_answer(deletion);
}

static bool delete_prepare(struct delete_records *deletion,
                           const struct delete_records_request *body)
{
    struct arena *arena = &deletion->request->arena;
    size_t count = 0;
    for (int32_t i = 0; i < body->topics_count; i++)
        count += (size_t)body->topics[i].partitions_count;
    struct delete_records_response_topic *topics =
        arena_array(arena, (size_t)body->topics_count, sizeof(*topics));
    deletion->parts = arena_array(arena, count, sizeof(*deletion->parts));
    if (topics == NULL || deletion->parts == NULL)
        return false;
    deletion->response->topics = topics;
    deletion->response->topics_count = body->topics_count;
    for (int32_t i = 0; i < body->topics_count; i++) {
        const struct delete_records_request_topic *topic = &body->topics[i];
        struct delete_records_response_topic_partition *outs =
            arena_array(arena, (size_t)topic->partitions_count, sizeof(*outs));
        if (outs == NULL)
            return false;
        topics[i].name = topic->name;
        topics[i].partitions = outs;
        topics[i].partitions_count = topic->partitions_count;
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            struct delete_part *part = &deletion->parts[deletion->parts_count++];
            part->deletion = deletion;
            part->topic = topic->name;
            part->in = &topic->partitions[j];
            part->out = &outs[j];
            part->waiter.wake = part_loaded;
            list_init(&part->waiter.place);
            list_init(&part->ack.place);
        }
    }
    return true;
}

void delete_records_handle(struct broker *broker, struct request *request)
{
    const struct delete_records_request *body = request->body;
    struct delete_records *deletion = arena_take(&request->arena, sizeof(*deletion));
    struct delete_records_response *response = request_response(request);
    if (deletion == NULL || response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    deletion->broker = broker;
    deletion->request = request;
    deletion->response = response;
    request->state = deletion;
    if (!delete_prepare(deletion, body)) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    deletion->pending = deletion->parts_count + 1;
    for (uint32_t i = 0; i < deletion->parts_count; i++)
        part_start(&deletion->parts[i]);
    if (--deletion->pending == 0) {
        delete_answer(deletion);
        return;
    }
    request->cancel = delete_cancel;
    if (broker->cluster != NULL)
        timer_set(&broker->io.timers, &deletion->timer,
                  broker->io.now_us +
                      (uint64_t)(body->timeout_ms < 0 ? 0 : body->timeout_ms) * 1000,
                  delete_timed_out);
}
