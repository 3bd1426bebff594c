/* SPDX-License-Identifier: Apache-2.0 */
/* OffsetFetch: what groups committed; one group up to version 7, several from version 8 on. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/coordinator.h"
#include "core/lease.h"
#include "core/meta/image.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Versions that brought something new. */
#define VERSION_GROUP_ERROR 2 /* an error of the group as a whole; before, each partition has it */
#define VERSION_SEVERAL     8
#define VERSION_TOPIC_IDS   10

struct offset_fetch {
    struct broker *broker;
    struct request *request;
    bool by_id;
    bool require_stable;
};

typedef struct offset_fetch_request_group_topic topic_in;
typedef struct offset_fetch_response_group_topic topic_out;
typedef struct offset_fetch_response_group_topic_partition partition_out;

static partition_out nothing_committed(int32_t partition, int error)
{
    return (partition_out){.partition_index = partition,
                           .committed_offset = OFFSET_NONE,
                           .committed_leader_epoch = -1,
                           .metadata = SPAN(""),
                           .error_code = (int16_t)error};
}

/* What is committed for one partition. While a commit is under way, who asks for stable offsets is
 * told to come again. */
static partition_out partition_answer(const struct offset_fetch *fetch, const struct offset *offset,
                                      int32_t partition, struct uuid topic_id)
{
    if (offset != NULL && offset->pending > 0 && fetch->require_stable)
        return nothing_committed(partition, ERR_UNSTABLE_OFFSET_COMMIT);
    if (offset == NULL || !offset->committed)
        return nothing_committed(partition, ERR_NONE);
    const struct offset_value *value = &offset->value;
    /* An offset in a topic that was deleted since means nothing in its namesake. */
    if (fetch->by_id && !uuid_is_zero(value->topic_id) && !uuid_equal(value->topic_id, topic_id))
        return nothing_committed(partition, ERR_NONE);
    return (partition_out){.partition_index = partition,
                           .committed_offset = value->offset,
                           .committed_leader_epoch = value->leader_epoch,
                           .metadata = value->metadata};
}

static bool topic_start(const struct offset_fetch *fetch, topic_out *out, size_t partitions)
{
    out->partitions = arena_array(&fetch->request->arena, partitions, sizeof(*out->partitions));
    return out->partitions != NULL;
}

static bool topic_answer(const struct offset_fetch *fetch, const struct group *group, int error,
                         const topic_in *in, topic_out *out)
{
    struct span name = in->name;
    *out = (topic_out){.name = in->name, .topic_id = in->topic_id};
    if (!topic_start(fetch, out, (size_t)in->partition_indexes_count))
        return false;
    if (fetch->by_id && error == ERR_NONE) {
        const struct meta_topic *topic = image_topic_by_id(&fetch->broker->image, in->topic_id);
        error = topic == NULL ? ERR_UNKNOWN_TOPIC_ID : ERR_NONE;
        name = topic == NULL ? SPAN_NULL : topic->name;
    }
    for (int32_t i = 0; i < in->partition_indexes_count; i++) {
        const int32_t partition = in->partition_indexes[i];
        const struct offset *offset = group == NULL || error != ERR_NONE
                                          ? NULL
                                          : offsets_find(&group->offsets, name, partition);
        out->partitions[out->partitions_count++] =
            error != ERR_NONE ? nothing_committed(partition, error)
                              : partition_answer(fetch, offset, partition, in->topic_id);
    }
    return true;
}

/* Everything that the group committed; by id only what can be named so. */
static bool all_answer(const struct offset_fetch *fetch, const struct group *group,
                       struct offset_fetch_response_group *out)
{
    const uint32_t count = group == NULL ? 0 : map_count(&group->offsets.topics);
    const struct offsets_topic *topic = NULL;
    out->topics = arena_array(&fetch->request->arena, count, sizeof(*out->topics));
    if (out->topics == NULL)
        return false;
    while (group != NULL && (topic = offsets_next_topic(&group->offsets, topic)) != NULL) {
        const struct meta_topic *known = image_topic(&fetch->broker->image, topic->name);
        topic_out *answer = &out->topics[out->topics_count];
        if (fetch->by_id && known == NULL)
            continue;
        *answer = (topic_out){.name = topic->name};
        if (fetch->by_id)
            answer->topic_id = known->id;
        if (!topic_start(fetch, answer, topic->count))
            return false;
        for (uint32_t i = 0; i < topic->count; i++) {
            const struct offset *offset = &topic->items[i];
            if (offset->committed || fetch->require_stable)
                answer->partitions[answer->partitions_count++] =
                    partition_answer(fetch, offset, offset->partition, answer->topic_id);
        }
        if (answer->partitions_count > 0)
            out->topics_count++;
    }
    return true;
}

/* `topics_count` -1, which is null: all of them. */
static bool group_answer(const struct offset_fetch *fetch, struct span group_id,
                         const topic_in *topics, int32_t topics_count,
                         struct offset_fetch_response_group *out)
{
    struct shard *shard = NULL;
    struct group *group = NULL;
    const int error = coordinator_group(fetch->broker->coordinator, group_id, &shard, &group);
    *out = (struct offset_fetch_response_group){.group_id = group_id, .error_code = (int16_t)error};
    if (error != ERR_NONE && fetch->request->version >= VERSION_GROUP_ERROR)
        return true;
    if (topics_count < 0)
        return all_answer(fetch, group, out);
    out->topics = arena_array(&fetch->request->arena, (size_t)topics_count, sizeof(*out->topics));
    bool room = out->topics != NULL;
    for (int32_t i = 0; room && i < topics_count; i++)
        room = topic_answer(fetch, group, error, &topics[i], &out->topics[out->topics_count++]);
    return room;
}

static bool several_answer(const struct offset_fetch *fetch, struct offset_fetch_response *response)
{
    const struct offset_fetch_request *body = fetch->request->body;
    response->groups =
        arena_array(&fetch->request->arena, (size_t)body->groups_count, sizeof(*response->groups));
    bool room = response->groups != NULL;
    for (int32_t i = 0; room && i < body->groups_count; i++) {
        const struct offset_fetch_request_group *group = &body->groups[i];
        room = group_answer(fetch, group->group_id, group->topics, group->topics_count,
                            &response->groups[response->groups_count++]);
    }
    return room;
}

/* Up to version 7 the one group's topics stand in the request and the answer themselves. */
static bool one_answer(const struct offset_fetch *fetch, struct offset_fetch_response *response)
{
    const struct offset_fetch_request *body = fetch->request->body;
    struct arena *arena = &fetch->request->arena;
    const size_t count = body->topics_count < 0 ? 0 : (size_t)body->topics_count;
    struct offset_fetch_response_group group;
    topic_in *topics = arena_array(arena, count, sizeof(*topics));
    if (topics == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        topics[i] = (topic_in){.name = body->topics[i].name,
                               .partition_indexes = body->topics[i].partition_indexes,
                               .partition_indexes_count = body->topics[i].partition_indexes_count};
    if (!group_answer(fetch, body->group_id, topics, body->topics_count, &group))
        return false;
    response->error_code = group.error_code;
    response->topics = arena_array(arena, (size_t)group.topics_count, sizeof(*response->topics));
    if (response->topics == NULL)
        return false;
    for (int32_t i = 0; i < group.topics_count; i++) {
        struct offset_fetch_response_topic *topic = &response->topics[response->topics_count++];
        topic->name = group.topics[i].name;
        topic->partitions_count = group.topics[i].partitions_count;
        topic->partitions =
            arena_array(arena, (size_t)topic->partitions_count, sizeof(*topic->partitions));
        if (topic->partitions == NULL)
            return false;
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            const partition_out *partition = &group.topics[i].partitions[j];
            topic->partitions[j] = (struct offset_fetch_response_topic_partition){
                partition->partition_index, partition->committed_offset,
                partition->committed_leader_epoch, partition->metadata, partition->error_code};
        }
    }
    return true;
}

void offset_fetch_handle(struct broker *broker, struct request *request)
{
    const struct offset_fetch_request *body = request->body;
    const struct offset_fetch fetch = {.broker = broker,
                                       .request = request,
                                       .by_id = request->version >= VERSION_TOPIC_IDS,
                                       .require_stable = body->require_stable};
    struct offset_fetch_response response;
    wire_defaults(request->api->response, &response);
    const bool room = request->version >= VERSION_SEVERAL ? several_answer(&fetch, &response)
                                                          : one_answer(&fetch, &response);
    /* That nothing later was committed. Without a lease there are errors only. */
    request->is_promise = lease_holds(broker);
    if (room)
        request_reply(request, &response);
    else
        request_refuse(request, "the answer is more than a request may hold");
}
