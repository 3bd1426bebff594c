/* SPDX-License-Identifier: Apache-2.0 */
/* How far the group came: what a member asks and what it commits. */
#include "core/wire/error.h"
#include "sim/member.h"

static int32_t *partitions_copy(struct member *member, struct exchange *exchange)
{
    const struct reader *reader = &member->reader;
    int32_t *partitions = peer_take(exchange, (reader->count + 1) * sizeof(*partitions));
    for (uint32_t i = 0; i < reader->count; i++)
        partitions[i] = reader->partitions[i].index;
    return partitions;
}

/* In both of the request's forms, of which a version has one. */
void member_resume(struct member *member)
{
    struct exchange *exchange =
        contact_request(&member->contact, API_OFFSET_FETCH, member->versions.offset_fetch);
    struct offset_fetch_request *request = (void *)(uintptr_t)exchange->request;
    int32_t *partitions = partitions_copy(member, exchange);
    request->group_id = scenario_group(member->client.plan);
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = client_topic(&member->client);
    request->topics[0].partition_indexes = partitions;
    request->topics[0].partition_indexes_count = (int32_t)member->reader.count;
    struct offset_fetch_request_group *group = peer_take(exchange, sizeof(*group));
    request->groups = group;
    request->groups_count = 1;
    group->group_id = scenario_group(member->client.plan);
    group->member_id = SPAN_NULL;
    group->member_epoch = -1;
    group->topics = peer_take(exchange, sizeof(*group->topics));
    group->topics_count = 1;
    group->topics[0].name = client_topic(&member->client);
    group->topics[0].topic_id = member->topic_id;
    group->topics[0].partition_indexes = partitions;
    group->topics[0].partition_indexes_count = (int32_t)member->reader.count;
    member->asked = true;
    member->contact.timeout_us = member->timeout_us;
    contact_send(&member->contact, exchange, NULL);
}

static void resume_at(struct member *member, int32_t partition, int64_t offset)
{
    for (uint32_t i = 0; i < member->reader.count; i++) {
        if (member->reader.partitions[i].index != partition)
            continue;
        member->reader.partitions[i].offset = offset;
        member->committed[i] = offset;
    }
}

int16_t member_resumed(struct member *member, const struct exchange *exchange)
{
    const struct offset_fetch_response *response = exchange->response;
    int16_t error = response->error_code;
    int32_t partitions[FETCHER_PARTITIONS_MAX];
    for (uint32_t i = 0; i < member->reader.count; i++)
        partitions[i] = member->reader.partitions[i].index;
    reader_set(&member->reader, member->topic_id, partitions, member->reader.count, OFFSET_UNKNOWN);
    for (int32_t i = 0; i < response->topics_count; i++) {
        for (int32_t j = 0; j < response->topics[i].partitions_count; j++) {
            const struct offset_fetch_response_topic_partition *partition =
                &response->topics[i].partitions[j];
            error = error == ERR_NONE ? partition->error_code : error;
            resume_at(member, partition->partition_index, partition->committed_offset);
        }
    }
    if (response->groups_count == 1) {
        const struct offset_fetch_response_group *group = &response->groups[0];
        error = group->error_code;
        for (int32_t j = 0; group->topics_count == 1 && j < group->topics[0].partitions_count;
             j++) {
            const struct offset_fetch_response_group_topic_partition *partition =
                &group->topics[0].partitions[j];
            error = error == ERR_NONE ? partition->error_code : error;
            resume_at(member, partition->partition_index, partition->committed_offset);
        }
    }
    return error;
}

bool member_has_news(const struct member *member)
{
    for (uint32_t i = 0; i < member->reader.count; i++) {
        const int64_t offset = member->reader.partitions[i].offset;
        if (offset != OFFSET_UNKNOWN && offset != member->committed[i])
            return true;
    }
    return false;
}

static void commit_fill(struct member *member, struct exchange *exchange,
                        struct offset_commit_request_topic *topic)
{
    const struct reader *reader = &member->reader;
    topic->name = client_topic(&member->client);
    topic->topic_id = member->topic_id;
    topic->partitions = peer_take(exchange, reader->count * sizeof(*topic->partitions));
    for (uint32_t i = 0; i < reader->count; i++) {
        const struct fetch_partition *partition = &reader->partitions[i];
        if (partition->offset == OFFSET_UNKNOWN || partition->offset == member->committed[i])
            continue;
        topic->partitions[topic->partitions_count++] =
            (struct offset_commit_request_topic_partition){.partition_index = partition->index,
                                                           .committed_offset = partition->offset,
                                                           .committed_leader_epoch = -1,
                                                           .committed_metadata =
                                                               span_text(member->client.name)};
    }
}

void member_commit(struct member *member)
{
    struct exchange *exchange =
        contact_request(&member->contact, API_OFFSET_COMMIT, member->versions.offset_commit);
    struct offset_commit_request *request = (void *)(uintptr_t)exchange->request;
    request->group_id = scenario_group(member->client.plan);
    /* A last commit before it goes on is not risked. */
    request->generation_id_or_member_epoch =
        member->flushes ? member->generation : member_generation(member);
    request->member_id = peer_copy(exchange, member_id(member));
    request->group_instance_id = member_instance(member);
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    commit_fill(member, exchange, request->topics);
    member->commit_asked = true;
    member->flushes = false;
    contact_send(&member->contact, exchange, NULL);
}

/* What was sent is committed, whatever was read meanwhile. */
static void commit_noted(struct member *member, const struct offset_commit_request *request,
                         int32_t index)
{
    for (int32_t i = 0; i < request->topics[0].partitions_count; i++) {
        const struct offset_commit_request_topic_partition *partition =
            &request->topics[0].partitions[i];
        if (partition->partition_index != index)
            continue;
        for (uint32_t j = 0; j < member->reader.count; j++) {
            if (member->reader.partitions[j].index == index)
                member->committed[j] = partition->committed_offset;
        }
    }
}

int16_t member_committed(struct member *member, const struct exchange *exchange)
{
    const struct offset_commit_response *response = exchange->response;
    int16_t error = ERR_NONE;
    for (int32_t i = 0; response->topics_count == 1 && i < response->topics[0].partitions_count;
         i++) {
        const struct offset_commit_response_topic_partition *partition =
            &response->topics[0].partitions[i];
        if (partition->error_code == ERR_NONE)
            commit_noted(member, exchange->request, partition->partition_index);
        else
            error = partition->error_code;
    }
    if (error == ERR_NONE)
        sim_count(member->client.sim, TALLY_commits);
    return error;
}
