/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Produce: one batch for each of some partitions.
 *
 * Each part goes its own way: judged, then (when its log is loaded) appended, then acknowledged
 * when what acks asks for is true. The answer leaves when all parts have ended, or timeout_ms is
 * over.
 */
#include "core/api/leaders.h"
#include "core/api/table.h"
#include "core/base/check.h"
#include "core/broker_state.h"
#include "core/conf/topic_conf.h"
#include "core/partition.h"
#include "core/records/validate.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define ACKS_NONE   0
#define ACKS_LEADER 1
#define ACKS_ALL    (-1)

/* From here on a request names topics by id (KIP-516). */
#define PRODUCE_TOPIC_IDS_VERSION 13

struct produce_part {
    struct produce *produce;
    const struct produce_request_topic_data_partition_data *in;
    struct produce_response_response_partition_response *out;
    struct partition *partition;
    struct batch_info info;
    bool log_append_time;
    bool ended;
    struct log_waiter waiter;
    struct partition_ack ack;
};

struct produce {
    struct broker *broker;
    struct request *request;
    const struct produce_request *body;
    struct produce_response *response;
    struct produce_part *parts;
    uint32_t parts_count;
    uint32_t pending;  /* parts that have not ended, and one while parts are being started */
    bool failed;       /* of a part */
    bool acknowledged; /* … of one at least, whatever became of the others */
    struct timer timer;
};

static const struct meta_topic *topic_of(const struct produce *produce,
                                         const struct produce_request_topic_data *in)
{
    const struct image *image = &produce->broker->image;
    return produce->request->version >= PRODUCE_TOPIC_IDS_VERSION
               ? image_topic_by_id(image, in->topic_id)
               : image_topic(image, in->name);
}

/* The addresses of the leaders that partitions were told to be led by. */
static void tell_endpoints(struct produce *produce, const struct leaders *leaders)
{
    struct produce_response_node_endpoint *endpoints =
        arena_array(&produce->request->arena, leaders->count, sizeof(*endpoints));
    for (uint32_t i = 0; i < leaders->count && endpoints != NULL; i++) {
        const struct leader_address address = leaders_address(leaders, i);
        endpoints[i] = (struct produce_response_node_endpoint){
            .node_id = address.node_id,
            .host = address.host,
            .port = address.port,
            .rack = address.rack,
        };
        produce->response->node_endpoints_count++;
    }
    produce->response->node_endpoints = endpoints;
}

/* Tells where to go instead, where another node leads. */
static void tell_leaders(struct produce *produce)
{
    struct leaders leaders;
    leaders_begin(&leaders, produce->broker, produce->request);
    const struct produce_part *part = produce->parts;
    for (int32_t i = 0; i < produce->body->topic_data_count; i++) {
        const struct produce_request_topic_data *in = &produce->body->topic_data[i];
        const struct meta_topic *topic = topic_of(produce, in);
        for (int32_t j = 0; j < in->partition_data_count; j++, part++)
            leaders_tell(&leaders, topic, part->in->index, part->out->error_code,
                         &part->out->current_leader.leader_id,
                         &part->out->current_leader.leader_epoch);
    }
    tell_endpoints(produce, &leaders);
}

/* All parts have ended. With acks=0 nothing is sent, so an error is told by closing the
 * connection. */
static void produce_answer(struct produce *produce)
{
    struct request *request = produce->request;
    timer_cancel(&produce->broker->io.timers, &produce->timer);
    if (produce->failed)
        tell_leaders(produce);
    request->is_promise = produce->acknowledged;
    if (produce->body->acks != ACKS_NONE)
        request_reply(request, produce->response);
    else if (produce->failed)
        request_refuse(request, "a batch sent with acks=0 was refused");
    else
        request_done(request);
}

static void part_end(struct produce_part *part, int error)
{
    struct produce *produce = part->produce;
    part->ended = true;
    if (error != ERR_NONE) {
        produce->failed = true;
        part->out->error_code = (int16_t)error;
        part->out->base_offset = -1;
        part->out->log_append_time_ms = -1;
        part->out->log_start_offset = -1;
    } else {
        produce->acknowledged = true;
    }
    if (--produce->pending == 0)
        produce_answer(produce);
}

static void part_acknowledged(struct partition_ack *ack, int error)
{
    part_end(container_of(ack, struct produce_part, ack), error);
}

/* The batch where it may be changed: in the receive buffer, patched in place. */
static uint8_t *part_batch(const struct produce_part *part)
{
    struct buffer *frame = part->produce->request->frame;
    if (part->in->records.length == 0)
        return frame->data; /* of which nothing will be looked at */
    return frame->data + (part->in->records.data - frame->data);
}

static void part_append(struct produce_part *part)
{
    struct produce *produce = part->produce;
    struct log_append append = {
        .buffer = produce->request->frame,
        .batch = part_batch(part),
        .length = (uint32_t)part->in->records.length,
        .log_append_time_ms = part->log_append_time ? produce->broker->io.wall_ms : -1,
        .info = &part->info,
        .check_producer = true,
    };
    const int error = partition_append(part->partition, &append);
    if (error != ERR_NONE) {
        part_end(part, error);
        return;
    }
    part->out->base_offset = append.base_offset;
    part->out->log_append_time_ms = append.append_time_ms;
    part->out->log_start_offset = log_start(part->partition->log);
    if (produce->body->acks == ACKS_NONE) {
        part_end(part, ERR_NONE);
        return;
    }
    part->ack.done = part_acknowledged;
    part->ack.end_offset = append.last_offset + 1;
    partition_await(part->partition, produce->body->acks == ACKS_ALL ? ACK_COMMITTED : ACK_WRITTEN,
                    &part->ack);
}

static void part_loaded(struct log_waiter *waiter, int error)
{
    struct produce_part *part = container_of(waiter, struct produce_part, waiter);
    if (error != ERR_NONE)
        part_end(part, error);
    else if (partition_load(part->partition, waiter))
        part_append(part);
}

/* Names the records that made the broker refuse the batch (KIP-467). */
static void part_explain(struct produce_part *part, const struct batch_fault *fault)
{
    struct arena *arena = &part->produce->request->arena;
    part->out->error_message = span_text(fault->message);
    part->out->record_errors =
        arena_array(arena, fault->records_count, sizeof(*part->out->record_errors));
    if (part->out->record_errors == NULL)
        return;
    for (uint32_t i = 0; i < fault->records_count; i++) {
        part->out->record_errors[i].batch_index = fault->records[i].index;
        part->out->record_errors[i].batch_index_error_message =
            span_text(fault->records[i].message);
    }
    part->out->record_errors_count = (int32_t)fault->records_count;
}

static int part_validate(struct produce_part *part, const struct topic_conf *conf)
{
    struct produce *produce = part->produce;
    const struct batch_rules rules = {
        .max_message_bytes = conf->message_bytes_max,
        .produce_version = produce->request->version,
        .compacted = conf->cleanup_compact,
        .log_append_time = conf->log_append_time,
        .wall_ms = produce->broker->io.wall_ms,
        .timestamp_before_max_ms = conf->timestamp_before_max_ms,
        .timestamp_after_max_ms = conf->timestamp_after_max_ms,
        .codecs = produce->broker->codecs,
        .arena = &produce->request->arena,
    };
    struct batch_fault fault = {0};
    const int error =
        batch_validate(part_batch(part), part->in->records.length, &rules, &part->info, &fault);
    part->log_append_time = conf->log_append_time;
    if (error != ERR_NONE)
        part_explain(part, &fault);
    return error;
}

static bool is_isr_too_small(const struct meta_partition *partition, const struct topic_conf *conf)
{
    return partition->isr_count <
           meta_isr_least(conf->min_insync_replicas, partition->replicas_count);
}

static void part_start(struct produce_part *part, const struct meta_topic *topic)
{
    struct produce *produce = part->produce;
    part->out->index = part->in->index;
    int error = partition_of(produce->broker, topic, part->in->index, &part->partition);
    if (error == ERR_UNKNOWN_TOPIC_OR_PARTITION && topic == NULL &&
        produce->request->version >= PRODUCE_TOPIC_IDS_VERSION)
        error = ERR_UNKNOWN_TOPIC_ID;
    if (error == ERR_NONE && produce->body->acks == ACKS_ALL &&
        is_isr_too_small(image_partition(topic, part->in->index), &part->partition->topic->conf))
        error = ERR_NOT_ENOUGH_REPLICAS;
    if (error == ERR_NONE)
        error = part_validate(part, &part->partition->topic->conf);
    if (error != ERR_NONE)
        part_end(part, error);
    else if (partition_load(part->partition, &part->waiter))
        part_append(part);
}

static void waits_end(struct produce *produce)
{
    for (uint32_t i = 0; i < produce->parts_count; i++) {
        list_remove(&produce->parts[i].waiter.place);
        list_remove(&produce->parts[i].ack.place);
    }
}

static void produce_cancel(struct request *request)
{
    struct produce *produce = request->state;
    timer_cancel(&produce->broker->io.timers, &produce->timer);
    waits_end(produce);
}

/* What was appended stays, and may still be replicated: the client asks again or gives up. */
static void produce_timed_out(struct timer *timer)
{
    struct produce *produce = container_of(timer, struct produce, timer);
    waits_end(produce);
    produce->pending++;
    for (uint32_t i = 0; i < produce->parts_count; i++) {
        if (!produce->parts[i].ended)
            part_end(&produce->parts[i], ERR_REQUEST_TIMED_OUT);
    }
    if (--produce->pending == 0)
        produce_answer(produce);
}

/* Lays out the response, and a part for each batch. */
static bool produce_prepare(struct produce *produce)
{
    struct arena *arena = &produce->request->arena;
    const struct produce_request *body = produce->body;
    const int32_t topics_count = body->topic_data_count;
    size_t count = 0;
    for (int32_t i = 0; i < topics_count; i++)
        count += (size_t)body->topic_data[i].partition_data_count;
    struct produce_response_response *topics =
        arena_array(arena, (size_t)topics_count, sizeof(*topics));
    produce->parts = arena_array(arena, count, sizeof(*produce->parts));
    if (topics == NULL || produce->parts == NULL)
        return false;
    produce->response->responses = topics;
    produce->response->responses_count = topics_count;
    for (int32_t i = 0; i < topics_count; i++) {
        const struct produce_request_topic_data *topic = &body->topic_data[i];
        struct produce_response_response_partition_response *outs =
            arena_array(arena, (size_t)topic->partition_data_count, sizeof(*outs));
        if (outs == NULL)
            return false;
        topics[i].name = topic->name;
        topics[i].topic_id = topic->topic_id;
        topics[i].partition_responses = outs;
        topics[i].partition_responses_count = topic->partition_data_count;
        for (int32_t j = 0; j < topic->partition_data_count; j++) {
            struct produce_part *part = &produce->parts[produce->parts_count++];
            outs[j] = wire_default_produce_response_response_partition_response;
            part->produce = produce;
            part->in = &topic->partition_data[j];
            part->out = &outs[j];
            part->waiter.wake = part_loaded;
            list_init(&part->waiter.place);
            list_init(&part->ack.place);
        }
    }
    return true;
}

/* What the whole request gets wrong. */
static int produce_check(const struct produce_request *body)
{
    if (body->acks != ACKS_ALL && body->acks != ACKS_LEADER && body->acks != ACKS_NONE)
        return ERR_INVALID_REQUIRED_ACKS;
    if (!span_is_null(body->transactional_id))
        return ERR_INVALID_TXN_STATE;
    return ERR_NONE;
}

static void produce_start(struct produce *produce)
{
    const struct produce_request *body = produce->body;
    const int refused = produce_check(body);
    struct produce_part *part = produce->parts;
    for (int32_t i = 0; i < body->topic_data_count; i++) {
        const struct produce_request_topic_data *in = &body->topic_data[i];
        const struct meta_topic *topic = topic_of(produce, in);
        for (int32_t j = 0; j < in->partition_data_count; j++, part++) {
            part->out->index = part->in->index;
            if (refused != ERR_NONE)
                part_end(part, refused);
            else
                part_start(part, topic);
        }
    }
}

void produce_handle(struct broker *broker, struct request *request)
{
    const struct produce_request *body = request->body;
    struct produce *produce = arena_take(&request->arena, sizeof(*produce));
    struct produce_response *response = request_response(request);
    if (produce == NULL || response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    produce->broker = broker;
    produce->request = request;
    produce->body = body;
    produce->response = response;
    request->state = produce;
    if (!produce_prepare(produce)) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    produce->pending = produce->parts_count + 1;
    produce_start(produce);
    if (--produce->pending == 0) {
        produce_answer(produce);
        return;
    }
    request->cancel = produce_cancel;
    if (body->acks == ACKS_ALL || broker->cluster != NULL) /* the lease may be over */
        timer_set(&broker->io.timers, &produce->timer,
                  broker->io.now_us +
                      (uint64_t)(body->timeout_ms < 0 ? 0 : body->timeout_ms) * 1000,
                  produce_timed_out);
}
