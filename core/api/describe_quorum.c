/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeQuorum (KIP-595, KIP-836, KIP-853): what the leader of the quorum knows of its nodes. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/leader_call.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

typedef struct describe_quorum_response response_out;
typedef struct describe_quorum_response_topic_partition partition_out;
typedef struct describe_quorum_response_topic_partition_current_voter voter_out;
typedef struct describe_quorum_response_topic_partition_observer observer_out;

/* Wall time of a moment on io's clock; -1 for never. */
static int64_t wall_ms_of(const struct io *io, uint64_t at_us)
{
    return at_us == 0 ? -1 : io->wall_ms - (int64_t)((io->now_us - at_us) / 1000);
}

/* The partitions of the request, each with this error; false when there is no room. */
static bool refuse_all(struct arena *arena, const struct describe_quorum_request *body, int error,
                       response_out *response)
{
    response->topics = arena_array(arena, (size_t)body->topics_count, sizeof(*response->topics));
    if (response->topics == NULL)
        return false;
    for (int32_t i = 0; i < body->topics_count; i++) {
        const size_t count = (size_t)body->topics[i].partitions_count;
        partition_out *partitions = arena_array(arena, count, sizeof(*partitions));
        if (partitions == NULL)
            return false;
        for (size_t k = 0; k < count; k++) {
            partitions[k].partition_index = body->topics[i].partitions[k].partition_index;
            partitions[k].error_code = (int16_t)error;
            partitions[k].error_message = span_text(error_text(error));
        }
        response->topics[i].topic_name = body->topics[i].topic_name;
        response->topics[i].partitions = partitions;
        response->topics[i].partitions_count = (int32_t)count;
    }
    response->topics_count = body->topics_count;
    return true;
}

/* There is one quorum, of one partition. */
static bool is_known(const struct describe_quorum_request *body)
{
    return body->topics_count == 1 &&
           span_equal(body->topics[0].topic_name, SPAN(TOPICS_METADATA_NAME)) &&
           body->topics[0].partitions_count == 1 &&
           body->topics[0].partitions[0].partition_index == 0;
}

static bool tell_replicas(struct leader_task *task, const struct quorum *quorum,
                          partition_out *partition)
{
    const struct io *io = &task->broker->io;
    struct raft_replica replica;
    uint32_t count = 0;
    while (quorum_replica(quorum, count, &replica))
        count++;
    partition->current_voters = arena_array(task->arena, count, sizeof(*partition->current_voters));
    partition->observers = arena_array(task->arena, count, sizeof(*partition->observers));
    if (partition->current_voters == NULL || partition->observers == NULL)
        return false;
    for (uint32_t i = 0; i < count && quorum_replica(quorum, i, &replica); i++) {
        const voter_out voter = {
            .replica_id = replica.id.node,
            .replica_directory_id = replica.id.directory,
            .log_end_offset = replica.end_offset,
            .last_fetch_timestamp = wall_ms_of(io, replica.heard_us),
            .last_caught_up_timestamp = wall_ms_of(io, replica.caught_up_us),
        };
        if (replica.is_voter)
            partition->current_voters[partition->current_voters_count++] = voter;
        else
            partition->observers[partition->observers_count++] =
                (observer_out){voter.replica_id, voter.replica_directory_id, voter.log_end_offset,
                               voter.last_fetch_timestamp, voter.last_caught_up_timestamp};
    }
    return true;
}

/* Where the voters listen for one another. */
static bool tell_nodes(struct leader_task *task, const struct raft_voters *voters,
                       response_out *response)
{
    const size_t count = voters == NULL ? 0 : (size_t)voters->record.voters_count;
    response->nodes = arena_array(task->arena, count, sizeof(*response->nodes));
    if (response->nodes == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct voters_record_voter *voter = &voters->record.voters[i];
        struct describe_quorum_response_node *node = &response->nodes[response->nodes_count++];
        node->node_id = voter->voter_id;
        node->listeners =
            arena_array(task->arena, (size_t)voter->endpoints_count, sizeof(*node->listeners));
        if (node->listeners == NULL)
            return false;
        for (int32_t k = 0; k < voter->endpoints_count; k++)
            node->listeners[node->listeners_count++] =
                (struct describe_quorum_response_node_listener){
                    .name = voter->endpoints[k].name,
                    .host = voter->endpoints[k].host,
                    .port = voter->endpoints[k].port,
                };
    }
    return true;
}

static bool tell_quorum(struct leader_task *task, response_out *response)
{
    const struct quorum *quorum = controller_quorum(task->broker->controller);
    const struct raft_status status = quorum_status(quorum);
    partition_out *partition = arena_take(task->arena, sizeof(*partition));
    response->topics = arena_take(task->arena, sizeof(*response->topics));
    if (partition == NULL || response->topics == NULL)
        return false;
    partition->leader_id = status.leader;
    partition->leader_epoch = status.term;
    partition->high_watermark = status.committed;
    response->topics[0].topic_name = SPAN(TOPICS_METADATA_NAME);
    response->topics[0].partitions = partition;
    response->topics[0].partitions_count = 1;
    response->topics_count = 1;
    return tell_replicas(task, quorum, partition) &&
           tell_nodes(task, quorum_voters(quorum), response);
}

static void serve(struct leader_task *task)
{
    const struct describe_quorum_request *body = task->body;
    response_out *response = leader_task_response(task);
    const bool is_told =
        response != NULL &&
        (is_known(body) ? tell_quorum(task, response)
                        : refuse_all(task->arena, body, ERR_UNKNOWN_TOPIC_OR_PARTITION, response));
    leader_task_answer(task, is_told ? response : NULL);
}

/* As a node of Kafka answers that does not lead. */
static void refuse(struct request *request, int error)
{
    response_out *response = request_response(request);
    const int16_t told =
        error == ERR_NOT_CONTROLLER ? ERR_NOT_LEADER_OR_FOLLOWER : ERR_REQUEST_TIMED_OUT;
    if (response != NULL && refuse_all(&request->arena, request->body, told, response))
        request_reply(request, response);
    else
        request_refuse(request, "there is no memory for an answer to it");
}

const struct leader_service describe_quorum_service = {
    .key = API_DESCRIBE_QUORUM,
    .serve = serve,
    .refuse = refuse,
};

void describe_quorum_handle(struct broker *broker, struct request *request)
{
    leader_call(broker, request, &describe_quorum_service);
}
