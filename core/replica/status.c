/* SPDX-License-Identifier: Apache-2.0 */
/* What whoever looks after a cluster is told of its replication. */
#include "core/replica/internal.h"

/* It is sent what is appended, from memory. */
static bool is_live(const struct replica_stream *stream)
{
    const struct replica_leader *lead = stream->lead;
    return stream->is_sending && (stream->next >= log_end(lead->partition->log) ||
                                  tail_find(&lead->tail, stream->next) != NULL);
}

struct replica_node_status replicas_node_status(const struct replicas *replicas, int32_t node_id)
{
    struct replica_node_status status = {0};
    const struct replica_node *node = node_find(replicas, node_id);
    if (node == NULL)
        return status;
    for (struct list *at = node->streams.next; at != &node->streams; at = at->next) {
        status.partitions++;
        status.catching_up += !is_live(container_of(at, struct replica_stream, place));
    }
    status.unacknowledged_bytes = node->in_flight_bytes;
    status.is_throttled = !list_empty(&node->lagging) && catch_up_is_throttled(replicas);
    return status;
}

/* As isr.c judges it; what was known before the follower had to begin anew is told still. */
bool replica_leader_follower(const struct replica_leader *lead, uint32_t number,
                             struct replica_follower_status *ret_status)
{
    if (number >= lead->streams_count)
        return false;
    const struct replica_stream *stream = &lead->streams[number];
    const struct log *log = lead->partition->log;
    const bool has_all = stream->is_sending && replica_stream_safe_end(stream) >= log_end(log);
    *ret_status = (struct replica_follower_status){
        .node_id = stream->node->id,
        .end_offset = log_is_write_cached(log) ? stream->written_end : stream->durable_end,
        .behind_us = has_all ? 0
                     : list_empty(&stream->behind_place)
                         ? -1
                         : (int64_t)(lead->replicas->io->now_us - stream->caught_up_us),
    };
    return true;
}
