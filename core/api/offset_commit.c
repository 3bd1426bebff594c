/* SPDX-License-Identifier: Apache-2.0 */
/* OffsetCommit: stores how far a group has come; answered when that is as safe as acks=all. */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/coord/commit.h"
#include "core/coord/coordinator.h"
#include "core/meta/image.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Versions that brought something new. */
#define VERSION_GROUP_NOT_FOUND 9 /* says GROUP_ID_NOT_FOUND (KIP-848) */
#define VERSION_TOPIC_IDS       10

#define NO_RETENTION_TIME (-1)

struct commit_wait {
    struct commit commit;
    struct request *request;
};

/* The answer lists what the request listed, in its order, as the entries do. */
static void committed(struct commit *commit)
{
    struct request *request = container_of(commit, struct commit_wait, commit)->request;
    const struct offset_commit_request *body = request->body;
    struct offset_commit_response response;
    wire_defaults(request->api->response, &response);
    const struct commit_entry *entry = commit->entries;
    response.topics =
        arena_array(&request->arena, (size_t)body->topics_count, sizeof(*response.topics));
    bool room = response.topics != NULL;
    for (int32_t i = 0; room && i < body->topics_count; i++) {
        const struct offset_commit_request_topic *topic = &body->topics[i];
        struct offset_commit_response_topic *out = &response.topics[response.topics_count++];
        out->name = topic->name;
        out->topic_id = topic->topic_id;
        out->partitions =
            arena_array(&request->arena, (size_t)topic->partitions_count, sizeof(*out->partitions));
        room = out->partitions != NULL;
        for (int32_t j = 0; room && j < topic->partitions_count; j++, entry++) {
            out->partitions[out->partitions_count++] =
                (struct offset_commit_response_topic_partition){entry->partition,
                                                                (int16_t)entry->error};
            request->is_promise = request->is_promise || entry->error == ERR_NONE;
        }
    }
    if (room)
        request_reply(request, &response);
    else
        request_refuse(request, "the answer is more than a request may hold");
}

static int64_t expires_ms(const struct broker *broker, const struct request *request)
{
    const struct offset_commit_request *body = request->body;
    const int64_t now_ms = broker->io.wall_ms < 0 ? 0 : broker->io.wall_ms;
    if (body->retention_time_ms == NO_RETENTION_TIME)
        return -1;
    if (body->retention_time_ms < 0)
        return now_ms;
    return body->retention_time_ms > INT64_MAX - now_ms ? INT64_MAX
                                                        : now_ms + body->retention_time_ms;
}

static void entry_fill(struct commit_entry *entry,
                       const struct offset_commit_request_topic_partition *in,
                       const struct meta_topic *topic, bool by_id, int64_t expire_ms)
{
    const bool known =
        topic != NULL && in->partition_index >= 0 && in->partition_index < topic->partitions_count;
    *entry = (struct commit_entry){
        .topic = topic == NULL ? SPAN_NULL : topic->name,
        .partition = in->partition_index,
        .value = {.offset = in->committed_offset,
                  .leader_epoch = in->committed_leader_epoch,
                  .metadata =
                      span_is_null(in->committed_metadata) ? SPAN("") : in->committed_metadata,
                  .expire_ms = expire_ms},
        .error = known                    ? ERR_NONE
                 : by_id && topic == NULL ? ERR_UNKNOWN_TOPIC_ID
                                          : ERR_UNKNOWN_TOPIC_OR_PARTITION,
    };
    if (by_id && topic != NULL)
        entry->value.topic_id = topic->id;
}

/* One entry for each partition of the request; false when there is no room. */
static bool entries_make(struct broker *broker, struct request *request, struct commit *commit)
{
    const struct offset_commit_request *body = request->body;
    const bool by_id = request->version >= VERSION_TOPIC_IDS;
    const int64_t expire_ms = expires_ms(broker, request);
    size_t count = 0;
    for (int32_t i = 0; i < body->topics_count; i++)
        count += (size_t)body->topics[i].partitions_count;
    commit->entries = arena_array(&request->arena, count, sizeof(*commit->entries));
    if (commit->entries == NULL)
        return false;
    for (int32_t i = 0; i < body->topics_count; i++) {
        const struct offset_commit_request_topic *topic = &body->topics[i];
        const struct meta_topic *known = by_id ? image_topic_by_id(&broker->image, topic->topic_id)
                                               : image_topic(&broker->image, topic->name);
        /* The image may drop the topic before the commit ends: its name stays with the request. */
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            struct commit_entry *entry = &commit->entries[commit->entries_count++];
            entry_fill(entry, &topic->partitions[j], known, by_id, expire_ms);
            entry->topic = by_id ? arena_copy(&request->arena, entry->topic) : topic->name;
            if (entry->error == ERR_NONE && span_is_null(entry->topic))
                return false;
        }
    }
    return true;
}

static int group_for(struct broker *broker, const struct request *request, struct shard **ret_shard,
                     struct group **ret_group)
{
    const struct offset_commit_request *body = request->body;
    const int32_t generation = body->generation_id_or_member_epoch;
    int error = generation < 0
                    ? coordinator_open(broker->coordinator, body->group_id, ret_shard, ret_group)
                    : coordinator_group(broker->coordinator, body->group_id, ret_shard, ret_group);
    if (error != ERR_NONE)
        return error;
    if (*ret_group == NULL)
        return request->version >= VERSION_GROUP_NOT_FOUND ? ERR_GROUP_ID_NOT_FOUND
                                                           : ERR_ILLEGAL_GENERATION;
    error = group_check_commit(*ret_group, body->member_id, body->group_instance_id, generation);
    if (error != ERR_NONE)
        shard_tidy(*ret_shard, *ret_group);
    return error;
}

static bool any_is_known(const struct commit *commit)
{
    for (uint32_t i = 0; i < commit->entries_count; i++)
        if (commit->entries[i].error == ERR_NONE)
            return true;
    return false;
}

void offset_commit_handle(struct broker *broker, struct request *request)
{
    struct commit_wait *wait = arena_take(&request->arena, sizeof(*wait));
    struct shard *shard = NULL;
    struct group *group = NULL;
    if (wait == NULL || !entries_make(broker, request, &wait->commit)) {
        request_refuse(request, "its partitions are more than a request may hold");
        return;
    }
    wait->request = request;
    wait->commit.done = committed;
    if (!any_is_known(&wait->commit)) {
        committed(&wait->commit);
        return;
    }
    const int error = group_for(broker, request, &shard, &group);
    if (error == ERR_NONE) {
        commit_start(shard, group, &wait->commit);
        return;
    }
    for (uint32_t i = 0; i < wait->commit.entries_count; i++)
        if (wait->commit.entries[i].error == ERR_NONE)
            wait->commit.entries[i].error = error;
    committed(&wait->commit);
}
