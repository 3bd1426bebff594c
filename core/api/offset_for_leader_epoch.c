/* SPDX-License-Identifier: Apache-2.0 */
/* OffsetForLeaderEpoch (KIP-101, KIP-279): where an epoch ended, for consumers that check
 * whether the log they read was cut. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/partition.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

struct epoch_offsets;

struct epoch_part {
    struct epoch_offsets *all;
    struct span topic;
    const struct offset_for_leader_epoch_request_topic_partition *in;
    struct offset_for_leader_epoch_response_topic_partition *out;
    struct partition *partition;
    struct log_waiter waiter;
};

struct epoch_offsets {
    struct broker *broker;
    struct request *request;
    struct offset_for_leader_epoch_response *response;
    struct epoch_part *parts;
    uint32_t parts_count;
    uint32_t pending;
};

static void part_end(struct epoch_part *part, int error)
{
    struct epoch_offsets *all = part->all;
    part->out->error_code = (int16_t)error;
    if (--all->pending == 0)
        request_reply(all->request, all->response);
}

static void part_look(struct epoch_part *part)
{
    log_epoch_end(part->partition->log, partition_leader_epoch(part->partition),
                  part->in->leader_epoch, &part->out->leader_epoch, &part->out->end_offset);
    part_end(part, ERR_NONE);
}

static void part_start(struct epoch_part *part)
{
    part->out->partition = part->in->partition;
    int error =
        partition_by_name(part->all->broker, part->topic, part->in->partition, &part->partition);
    if (error == ERR_NONE)
        error = partition_check_epoch(part->partition, part->in->current_leader_epoch);
    if (error != ERR_NONE)
        part_end(part, error);
    else if (partition_load(part->partition, &part->waiter))
        part_look(part);
}

static void part_loaded(struct log_waiter *waiter, int error)
{
    struct epoch_part *part = container_of(waiter, struct epoch_part, waiter);
    if (error != ERR_NONE)
        part_end(part, error);
    else
        part_start(part); /* another node may lead meanwhile */
}

static void epochs_cancel(struct request *request)
{
    struct epoch_offsets *all = request->state;
    for (uint32_t i = 0; i < all->parts_count; i++)
        list_remove(&all->parts[i].waiter.place);
}

static bool epochs_prepare(struct epoch_offsets *all,
                           const struct offset_for_leader_epoch_request *body)
{
    struct arena *arena = &all->request->arena;
    size_t count = 0;
    for (int32_t i = 0; i < body->topics_count; i++)
        count += (size_t)body->topics[i].partitions_count;
    struct offset_for_leader_epoch_response_topic *topics =
        arena_array(arena, (size_t)body->topics_count, sizeof(*topics));
    all->parts = arena_array(arena, count, sizeof(*all->parts));
    if (topics == NULL || all->parts == NULL)
        return false;
    all->response->topics = topics;
    all->response->topics_count = body->topics_count;
    for (int32_t i = 0; i < body->topics_count; i++) {
        const struct offset_for_leader_epoch_request_topic *topic = &body->topics[i];
        struct offset_for_leader_epoch_response_topic_partition *outs =
            arena_array(arena, (size_t)topic->partitions_count, sizeof(*outs));
        if (outs == NULL)
            return false;
        topics[i].topic = topic->topic;
        topics[i].partitions = outs;
        topics[i].partitions_count = topic->partitions_count;
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            struct epoch_part *part = &all->parts[all->parts_count++];
            outs[j] = wire_default_offset_for_leader_epoch_response_topic_partition;
            part->all = all;
            part->topic = topic->topic;
            part->in = &topic->partitions[j];
            part->out = &outs[j];
            part->waiter.wake = part_loaded;
            list_init(&part->waiter.place);
        }
    }
    return true;
}

void offset_for_leader_epoch_handle(struct broker *broker, struct request *request)
{
    const struct offset_for_leader_epoch_request *body = request->body;
    struct epoch_offsets *all = arena_take(&request->arena, sizeof(*all));
    struct offset_for_leader_epoch_response *response = request_response(request);
    if (all == NULL || response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    all->broker = broker;
    all->request = request;
    all->response = response;
    request->state = all;
    if (!epochs_prepare(all, body)) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    all->pending = all->parts_count + 1;
    for (uint32_t i = 0; i < all->parts_count; i++)
        part_start(&all->parts[i]);
    if (--all->pending == 0)
        request_reply(request, response);
    else
        request->cancel = epochs_cancel;
}
