/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about many partitions: what was gathered in a turn for one node goes out together. */
#include "core/replica/internal.h"
#include "core/wire/error.h"

/* True when `message` left, or is lost with the link, after which all is said anew. False: there
 * is no room for it now. */
static bool outbox_send(struct replica_node *node, enum replica_type type,
                        const struct wire_schema *schema, const void *message)
{
    const int error = peers_send(node->replicas->peers, node->id, (int16_t)type, schema, message,
                                 NULL, SPAN_NULL);
    arena_reset(&node->replicas->arena);
    node->is_full = error == ERR_LIMIT;
    if (error == ERR_CLOSED)
        node->is_up = false;
    return error == ERR_NONE;
}

/* How many of a list go into one message; 0: none can be sent now. */
static uint32_t outbox_count(const struct replica_node *node, const struct list *list)
{
    uint32_t count = 0;
    if (!node->is_up || node->is_full)
        return 0;
    for (const struct list *at = list->next; at != list && count < PARTITIONS_IN_MESSAGE;
         at = at->next)
        count++;
    return count;
}

/* The first `count` are said. */
static void outbox_said(struct list *list, uint32_t count)
{
    while (count-- > 0)
        list_pop(list);
}

/* The leader epoch of the last record; -1 when there is none: what was deleted had been committed,
 * and whoever leads has had it. */
static int32_t last_epoch(const struct log *log)
{
    int32_t epoch;
    int64_t start;
    return log_epoch_before(log, log_end(log), &epoch, &start) ? epoch : -1;
}

void outbox_send_asks(struct replica_node *node)
{
    struct replicas *replicas = node->replicas;
    uint32_t count;
    while ((count = outbox_count(node, &node->to_ask)) > 0) {
        struct replica_follow message = {
            .broker_epoch = replicas_broker_epoch(replicas, replicas->broker->conf->node_id),
            .partitions_count = (int32_t)count,
            .partitions = arena_array(&replicas->arena, count, sizeof(*message.partitions)),
        };
        struct list *at = node->to_ask.next;
        for (uint32_t i = 0; i < count; i++, at = at->next) {
            struct replica_follower *follow = container_of(at, struct replica_follower, ask_place);
            const struct log *log = follow->partition->log;
            follow->asked_end = log_end(log);
            message.partitions[i] = (struct replica_follow_partition){
                .topic_id = follow->partition->topic->id,
                .partition = follow->partition->index,
                .leader_epoch = follow->epoch,
                .end_offset = follow->asked_end,
                .last_epoch = last_epoch(log),
            };
        }
        if (!outbox_send(node, REPLICA_TYPE_FOLLOW, &wire_replica_follow, &message))
            return;
        outbox_said(&node->to_ask, count);
    }
}

void outbox_send_acks(struct replica_node *node)
{
    struct replicas *replicas = node->replicas;
    uint32_t count;
    while ((count = outbox_count(node, &node->to_ack)) > 0) {
        struct replica_ack message = {
            .broker_epoch = replicas_broker_epoch(replicas, replicas->broker->conf->node_id),
            .partitions_count = (int32_t)count,
            .partitions = arena_array(&replicas->arena, count, sizeof(*message.partitions)),
        };
        struct list *at = node->to_ack.next;
        for (uint32_t i = 0; i < count; i++, at = at->next) {
            struct replica_follower *follow = container_of(at, struct replica_follower, ack_place);
            follow->told_written = log_written_end(follow->partition->log);
            follow->told_durable = log_durable_end(follow->partition->log);
            follow->told_start = log_start(follow->partition->log);
            message.partitions[i] = (struct replica_ack_partition){
                .topic_id = follow->partition->topic->id,
                .partition = follow->partition->index,
                .leader_epoch = follow->epoch,
                .written_end = follow->told_written,
                .durable_end = follow->told_durable,
                .log_start = follow->told_start,
            };
        }
        if (!outbox_send(node, REPLICA_TYPE_ACK, &wire_replica_ack, &message))
            return;
        outbox_said(&node->to_ack, count);
    }
}

void outbox_send_places(struct replica_node *node)
{
    struct replicas *replicas = node->replicas;
    uint32_t count;
    while ((count = outbox_count(node, &node->to_place)) > 0) {
        struct replica_place message = {
            .partitions_count = (int32_t)count,
            .partitions = arena_array(&replicas->arena, count, sizeof(*message.partitions)),
        };
        struct list *at = node->to_place.next;
        for (uint32_t i = 0; i < count; i++, at = at->next) {
            const struct replica_stream *stream =
                container_of(at, struct replica_stream, answer_place);
            message.partitions[i] = stream->answer;
            message.partitions[i].topic_id = stream->lead->partition->topic->id;
            message.partitions[i].partition = stream->lead->partition->index;
            message.partitions[i].leader_epoch = stream->lead->epoch;
        }
        if (!outbox_send(node, REPLICA_TYPE_PLACE, &wire_replica_place, &message))
            return;
        outbox_said(&node->to_place, count);
    }
}

void outbox_send_marks(struct replica_node *node)
{
    struct replicas *replicas = node->replicas;
    uint32_t count;
    while ((count = outbox_count(node, &node->to_mark)) > 0) {
        struct replica_mark message = {
            .partitions_count = (int32_t)count,
            .partitions = arena_array(&replicas->arena, count, sizeof(*message.partitions)),
        };
        struct list *at = node->to_mark.next;
        for (uint32_t i = 0; i < count; i++, at = at->next) {
            struct replica_stream *stream = container_of(at, struct replica_stream, mark_place);
            const struct partition *partition = stream->lead->partition;
            stream->marked_watermark = partition->high_watermark;
            stream->marked_start = log_start(partition->log);
            message.partitions[i] = (struct replica_mark_partition){
                .topic_id = partition->topic->id,
                .partition = partition->index,
                .leader_epoch = stream->lead->epoch,
                .high_watermark = stream->marked_watermark,
                .log_start = stream->marked_start,
            };
        }
        if (!outbox_send(node, REPLICA_TYPE_MARK, &wire_replica_mark, &message))
            return;
        outbox_said(&node->to_mark, count);
    }
}
