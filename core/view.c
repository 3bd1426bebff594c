/* SPDX-License-Identifier: Apache-2.0 */
#include "core/view.h"

#include <string.h>

#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/coord/coordinator.h"
#include "core/lease.h"
#include "core/log/log.h"
#include "core/partition.h"
#include "core/session.h"

void broker_view(const struct broker *broker, struct broker_view *ret_view)
{
    memcpy(ret_view->memory_used_bytes, broker->memory.used_bytes,
           sizeof(ret_view->memory_used_bytes));
    memcpy(ret_view->memory_limit_bytes, broker->memory.limit_bytes,
           sizeof(ret_view->memory_limit_bytes));
    ret_view->connections = broker->sessions_count;
    ret_view->connections_max = broker->limits.connections;
    ret_view->requests_max = SESSION_REQUESTS_MAX;
    ret_view->metadata_end = broker->image.end_offset;
    ret_view->shards_dropped = coordinator_dropped(broker->coordinator);
}

bool broker_view_quorum(const struct broker *broker, struct quorum_view *ret_view)
{
    if (broker->controller == NULL)
        return false;
    const struct quorum *quorum = controller_quorum(broker->controller);
    const struct raft_status status = quorum_status(quorum);
    *ret_view = (struct quorum_view){
        .term = status.term,
        .leader = status.leader,
        .leads = status.is_established,
        .committed = status.committed,
        .committed_epoch = quorum_committed_epoch(quorum),
        .image_end = broker->image.end_offset,
        .image_epoch = broker->image.epoch,
    };
    return status.role != RAFT_STOPPED;
}

bool broker_view_lease(const struct broker *broker)
{
    return lease_holds(broker);
}

uint64_t broker_view_metadata(const struct broker *broker)
{
    return image_digest(&broker->image);
}

uint32_t broker_view_requests(const struct broker *broker)
{
    uint32_t most = 0;
    for (struct list *at = broker->sessions.next; at != &broker->sessions; at = at->next) {
        const struct session *session = container_of(at, struct session, place);
        if (session->requests_count > most)
            most = session->requests_count;
    }
    return most;
}

struct uuid broker_view_incarnation(const struct broker *broker)
{
    return broker->cluster == NULL ? (struct uuid){{0}} : broker->cluster->incarnation;
}

bool broker_view_peer(const struct broker *broker, int32_t node_id, struct peer_status *ret_status)
{
    return broker->cluster != NULL && peers_status(broker->cluster->peers, node_id, ret_status);
}

/* NULL: the broker does not host it, or has not read its log yet. */
static const struct partition *partition_ready(const struct broker *broker, struct uuid topic,
                                               int32_t index)
{
    const struct partition *partition = partition_hosted(broker, topic, index);
    return partition == NULL || log_state(partition->log) != LOG_READY ? NULL : partition;
}

bool broker_view_log(const struct broker *broker, struct uuid topic, int32_t index,
                     struct log_view *ret_view)
{
    const struct partition *partition = partition_ready(broker, topic, index);
    if (partition == NULL)
        return false;
    const struct log *log = partition->log;
    *ret_view = (struct log_view){
        .start = log_start(log),
        .durable_end = log_durable_end(log),
        .written_end = log_written_end(log),
        .end = log_end(log),
        .high_watermark = partition->high_watermark,
    };
    return true;
}

int64_t broker_view_cut(const struct broker *broker, struct uuid topic, int32_t index)
{
    const struct partition *partition = partition_hosted(broker, topic, index);
    return partition == NULL ? INT64_MAX : log_cut_end(partition->log);
}

bool broker_view_epoch(const struct broker *broker, struct uuid topic, int32_t index,
                       int64_t before, int32_t *ret_epoch, int64_t *ret_offset)
{
    const struct partition *partition = partition_ready(broker, topic, index);
    return partition != NULL && log_epoch_before(partition->log, before, ret_epoch, ret_offset);
}
