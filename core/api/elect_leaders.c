/* SPDX-License-Identifier: Apache-2.0 */
/* ElectLeaders (KIP-183, KIP-460). Where all partitions are meant, those that are led as they
 * should be are not in the answer. */
#include "core/api/change.h"
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

typedef struct elect_leaders_response_replica_election_result topic_out;
typedef struct elect_leaders_response_replica_election_result_partition_result partition_out;

struct elect_leaders {
    struct change change;
    struct elect_leaders_response *response;
    bool is_full; /* the request's arena */
};

/* Adds a topic with room for so many partitions to the answer; NULL when there is none. */
static topic_out *topic_add(struct elect_leaders *elect, struct span name, size_t partitions)
{
    struct arena *arena = &elect->change.request->arena;
    const topic_out topic = {
        .topic = arena_copy(arena, name), /* the topic may be gone when this is sent */
        .partition_result = arena_array(arena, partitions, sizeof(*topic.partition_result)),
    };
    if (span_is_null(topic.topic) || topic.partition_result == NULL) {
        elect->is_full = true;
        return NULL;
    }
    struct elect_leaders_response *response = elect->response;
    topic_out *out =
        &response->replica_election_results[response->replica_election_results_count++];
    *out = topic;
    return out;
}

static partition_out elect_one(const struct elect_leaders *elect, struct topics_context *context,
                               const struct meta_topic *topic, int32_t partition)
{
    const struct elect_leaders_request *body = elect->change.request->body;
    partition_out out = {.partition_id = partition};
    out.error_code = (int16_t)topics_elect(
        context, topic, partition, (enum topics_election)body->election_type, &out.error_message);
    return out;
}

static void elect_asked(struct elect_leaders *elect, struct topics_context *context)
{
    const struct elect_leaders_request *body = elect->change.request->body;
    for (int32_t i = 0; i < body->topic_partitions_count && !elect->is_full; i++) {
        const struct elect_leaders_request_topic_partition *in = &body->topic_partitions[i];
        const struct meta_topic *topic = image_topic(context->image, in->topic);
        topic_out *out = topic_add(elect, in->topic, (size_t)in->partitions_count);
        for (int32_t k = 0; out != NULL && k < in->partitions_count; k++)
            out->partition_result[out->partition_result_count++] =
                elect_one(elect, context, topic, in->partitions[k]);
    }
}

static void elect_all_of(struct elect_leaders *elect, struct topics_context *context,
                         const struct meta_topic *topic)
{
    topic_out *out = NULL;
    for (int32_t i = 0; i < topic->partitions_count && !elect->is_full; i++) {
        const partition_out partition = elect_one(elect, context, topic, i);
        if (partition.error_code == ERR_ELECTION_NOT_NEEDED)
            continue;
        if (out == NULL)
            out = topic_add(elect, topic->name, (size_t)(topic->partitions_count - i));
        if (out != NULL)
            out->partition_result[out->partition_result_count++] = partition;
    }
}

/* May be called more than once: each time from the beginning, with as many topics as there are by
 * now. */
static void elect_write(struct change *change, struct topics_context *context)
{
    struct elect_leaders *elect = container_of(change, struct elect_leaders, change);
    const struct elect_leaders_request *body = change->request->body;
    const size_t topics = body->topic_partitions_count < 0
                              ? map_count(&context->image->topics_by_name)
                              : (size_t)body->topic_partitions_count;
    elect->response->replica_election_results_count = 0;
    elect->response->replica_election_results = arena_array(
        &change->request->arena, topics, sizeof(*elect->response->replica_election_results));
    elect->is_full = elect->response->replica_election_results == NULL;
    if (elect->is_full)
        return;
    if (body->topic_partitions_count >= 0) {
        elect_asked(elect, context);
    } else {
        const struct meta_topic *topic = image_first_topic(context->image);
        for (; topic != NULL; topic = image_next_topic(topic))
            elect_all_of(elect, context, topic);
    }
    if (elect->is_full)
        meta_writer_cut(context->writer, 0);
}

static void elect_done(struct change *change, int error)
{
    struct elect_leaders *elect = container_of(change, struct elect_leaders, change);
    if (elect->is_full) {
        request_refuse(change->request, "there is no memory for an answer to it");
        return;
    }
    if (error != ERR_NONE) {
        elect->response->error_code = (int16_t)error;
        elect->response->replica_election_results_count = 0;
    }
    request_reply(change->request, elect->response);
}

void elect_leaders_handle(struct broker *broker, struct request *request)
{
    const struct elect_leaders_request *body = request->body;
    struct elect_leaders *elect = change_new(broker, request, sizeof(*elect));
    if (elect == NULL)
        return;
    elect->response = request_response(request);
    if (elect->response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    if (body->election_type != TOPICS_ELECT_PREFERRED && body->election_type != TOPICS_ELECT_ANY) {
        elect->response->error_code = ERR_INVALID_REQUEST;
        request_reply(request, elect->response);
        return;
    }
    elect->change.write = elect_write;
    elect->change.done = elect_done;
    change_propose(&elect->change);
}
