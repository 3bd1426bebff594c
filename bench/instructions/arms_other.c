/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask for besides data: metadata, and what keeps a group going. */
#include "bench/instructions/arms.h"
#include "core/base/check.h"
#include "core/wire/error.h"

#define METADATA_VERSION  12
#define FIND_VERSION      4
#define JOIN_VERSION      9
#define SYNC_VERSION      5
#define HEARTBEAT_VERSION 4
#define COMMIT_VERSION    9
#define TOPICS            3
#define PARTITIONS        4

static void prepare_metadata(struct rig *rig)
{
    static const char *const names[TOPICS] = {"tape", "reel", "spool"};
    struct metadata_request *request = client_request(rig->client, API_METADATA);
    request->topics = rig_array(rig, TOPICS, sizeof(*request->topics));
    request->topics_count = TOPICS;
    for (int i = 0; i < TOPICS; i++) {
        node_create_topic(&rig->node, span_text(names[i]), PARTITIONS);
        request->topics[i].name = span_text(names[i]);
    }
    rig->request = request;
}

static void play_metadata(struct rig *rig)
{
    const struct metadata_response *response =
        rig_call(rig, API_METADATA, METADATA_VERSION, rig->request);
    CHECK(response->topics_count == TOPICS);
    for (int i = 0; i < TOPICS; i++)
        CHECK(response->topics[i].error_code == ERR_NONE &&
              response->topics[i].partitions_count == PARTITIONS);
}

/* The group's coordinator is here, and its topic exists. */
static void find_coordinator(struct rig *rig)
{
    struct find_coordinator_request *request = client_request(rig->client, API_FIND_COORDINATOR);
    request->coordinator_keys = rig_array(rig, 1, sizeof(struct span));
    request->coordinator_keys[0] = SPAN("group");
    request->coordinator_keys_count = 1;
    int16_t error = ERR_COORDINATOR_NOT_AVAILABLE;
    for (int i = 0; i < 10 && error != ERR_NONE; i++) {
        const struct find_coordinator_response *response =
            rig_call(rig, API_FIND_COORDINATOR, FIND_VERSION, request);
        error = response->coordinators[0].error_code;
        world_advance_ms(rig->node.world, 1);
    }
    CHECK(error == ERR_NONE);
}

/* Tries until the coordinator has loaded its part of the offsets; a member's first try is told its
 * id, with which it comes again. */
static const struct join_group_response *join(struct rig *rig)
{
    struct join_group_request *request = client_request(rig->client, API_JOIN_GROUP);
    request->group_id = SPAN("group");
    request->session_timeout_ms = 10000;
    request->rebalance_timeout_ms = 60000;
    request->protocol_type = SPAN("consumer");
    request->protocols = rig_array(rig, 1, sizeof(*request->protocols));
    request->protocols[0].name = SPAN("range");
    request->protocols[0].metadata = SPAN("topics");
    request->protocols_count = 1;
    const struct join_group_response *response = NULL;
    for (int i = 0; i < 10; i++) {
        client_send(rig->client, API_JOIN_GROUP, JOIN_VERSION, request);
        world_advance_ms(rig->node.world, 1);
        response = client_take(rig->client);
        CHECK(response != NULL);
        if (response->error_code == ERR_NONE)
            break;
        if (response->error_code == ERR_MEMBER_ID_REQUIRED)
            request->member_id = response->member_id;
    }
    CHECK(response->error_code == ERR_NONE);
    return response;
}

/* The first client is the one member of a group that is stable. */
static const struct join_group_response *enter(struct rig *rig)
{
    node_create_topic(&rig->node, SPAN("tape"), 1);
    find_coordinator(rig);
    const struct join_group_response *joined = join(rig);
    struct sync_group_request *request = client_request(rig->client, API_SYNC_GROUP);
    request->group_id = SPAN("group");
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    request->protocol_type = SPAN("consumer");
    request->protocol_name = SPAN("range");
    request->assignments = rig_array(rig, 1, sizeof(*request->assignments));
    request->assignments[0].member_id = joined->member_id;
    request->assignments[0].assignment = SPAN("partitions");
    request->assignments_count = 1;
    const struct sync_group_response *synced = rig_call(rig, API_SYNC_GROUP, SYNC_VERSION, request);
    CHECK(synced->error_code == ERR_NONE);
    return joined;
}

static void prepare_heartbeat(struct rig *rig)
{
    const struct join_group_response *joined = enter(rig);
    struct heartbeat_request *request = client_request(rig->client, API_HEARTBEAT);
    request->group_id = SPAN("group");
    request->generation_id = joined->generation_id;
    request->member_id = joined->member_id;
    rig->request = request;
}

static void play_heartbeat(struct rig *rig)
{
    const struct heartbeat_response *response =
        rig_call(rig, API_HEARTBEAT, HEARTBEAT_VERSION, rig->request);
    CHECK(response->error_code == ERR_NONE);
}

static void prepare_commit(struct rig *rig)
{
    const struct join_group_response *joined = enter(rig);
    struct offset_commit_request *request = client_request(rig->client, API_OFFSET_COMMIT);
    request->group_id = SPAN("group");
    request->generation_id_or_member_epoch = joined->generation_id;
    request->member_id = joined->member_id;
    request->topics = rig_array(rig, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = SPAN("tape");
    request->topics[0].partitions = rig_array(rig, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].committed_leader_epoch = -1;
    request->topics[0].partitions[0].committed_metadata = SPAN("");
    rig->request = request;
}

static void play_commit(struct rig *rig)
{
    struct offset_commit_request *request = rig->request;
    request->topics[0].partitions[0].committed_offset = (int64_t)rig->round;
    const struct offset_commit_response *response =
        rig_call(rig, API_OFFSET_COMMIT, COMMIT_VERSION, request);
    CHECK(response->topics[0].partitions[0].error_code == ERR_NONE);
}

const struct arm arms_other[] = {
    {"metadata", "metadata of three topics of four partitions", 500, 1, prepare_metadata,
     play_metadata},
    {"heartbeat", "heartbeat of a group's member", 1000, 1, prepare_heartbeat, play_heartbeat},
    {"offset-commit", "offset commit of one partition", 500, 1, prepare_commit, play_commit},
    {0},
};
