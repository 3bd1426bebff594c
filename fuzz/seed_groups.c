/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/group.h"
#include "core/wire/messages.h"
#include "fuzz/seed_stories.h"

#define JOIN_VERSION   9
#define SYNC_VERSION   5
#define BEAT_VERSION   4
#define LEAVE_VERSION  5
#define COMMIT_VERSION 9
#define REBALANCE_MS   7000
#define EXPIRY_MS      31000
#define NOTE_BYTES     5000 /* more than offset.metadata.max.bytes */

/* For TAPE_HOLD, as in fuzz/faults.c. */
#define HOLD_SYNCS 3
#define HOLD_READS 5

/* What one member knows of itself. */
struct member {
    uint8_t connection;
    struct span instance_id;
    struct span id;
    int32_t generation;
};

static void join_send(struct recording *recording, struct member *member)
{
    struct join_group_request *request = recording_request(recording, API_JOIN_GROUP);
    request->member_id = member->id;
    request->group_instance_id = member->instance_id;
    const struct join_group_response *response =
        recording_call(recording, member->connection, API_JOIN_GROUP, JOIN_VERSION, request);
    if (response != NULL)
        member->id = response->member_id;
}

static void joined(struct recording *recording, struct member *member)
{
    const struct join_group_response *response =
        recording_response(recording, member->connection, API_JOIN_GROUP, JOIN_VERSION);
    if (response == NULL)
        return;
    member->id = response->member_id;
    member->generation = response->generation_id;
}

/* The first member's assignment of both. */
static void sync_send(struct recording *recording, const struct member *member,
                      const struct member *other)
{
    struct sync_group_request *request = recording_request(recording, API_SYNC_GROUP);
    struct sync_group_request_assignment assignments[2];
    request->member_id = member->id;
    request->generation_id = member->generation;
    request->group_instance_id = member->instance_id;
    request->assignments_count = other == NULL ? 0 : 2;
    if (other != NULL) {
        assignments[0] = assignments[1] = request->assignments[0];
        assignments[0].member_id = member->id;
        assignments[1].member_id = other->id;
        request->assignments = assignments;
    }
    recording_call(recording, member->connection, API_SYNC_GROUP, SYNC_VERSION, request);
}

static void beat(struct recording *recording, const struct member *member, int32_t generation)
{
    struct heartbeat_request *request = recording_request(recording, API_HEARTBEAT);
    request->member_id = member->id;
    request->generation_id = generation;
    request->group_instance_id = member->instance_id;
    recording_call(recording, member->connection, API_HEARTBEAT, BEAT_VERSION, request);
}

static void commit(struct recording *recording, const struct member *member)
{
    struct offset_commit_request *request = recording_request(recording, API_OFFSET_COMMIT);
    request->member_id = member->id;
    request->generation_id_or_member_epoch = member->generation;
    request->group_instance_id = member->instance_id;
    recording_call(recording, member->connection, API_OFFSET_COMMIT, COMMIT_VERSION, request);
}

static void leave(struct recording *recording, const struct member *member)
{
    struct leave_group_request *request = recording_request(recording, API_LEAVE_GROUP);
    request->members->member_id = member->id;
    request->members->group_instance_id = member->instance_id;
    recording_call(recording, member->connection, API_LEAVE_GROUP, LEAVE_VERSION, request);
}

/* Asks for a request as it is, of the version. */
static void ask(struct recording *recording, int16_t api_key, int16_t version)
{
    recording_call(recording, 3, api_key, version, recording_request(recording, api_key));
}

static void look(struct recording *recording)
{
    struct list_groups_request *request = recording_request(recording, API_LIST_GROUPS);
    struct span filter = SPAN(" stable ");
    ask(recording, API_DESCRIBE_GROUPS, 6);
    ask(recording, API_LIST_GROUPS, 0);
    request->states_filter = &filter;
    request->states_filter_count = 1;
    recording_call(recording, 3, API_LIST_GROUPS, 5, request);
    struct offset_fetch_request *fetch = recording_request(recording, API_OFFSET_FETCH);
    fetch->groups->topics_count = -1;
    recording_call(recording, 3, API_OFFSET_FETCH, 8, fetch);
    fetch->topics_count = -1;
    recording_call(recording, 3, API_OFFSET_FETCH, 7, fetch);
}

static void form(struct recording *recording, struct member *first, struct member *second)
{
    join_send(recording, first);
    join_send(recording, second);
    if (first->instance_id.length == 0) {
        join_send(recording, first);
        join_send(recording, second);
    }
    look(recording);
    recording_act(recording, TAPE_MILLISECONDS, REBALANCE_MS, 2);
    joined(recording, first);
    joined(recording, second);
    beat(recording, first, first->generation);
    sync_send(recording, second, NULL);
    sync_send(recording, first, second);
    look(recording);
}

/* Nobody is told the assignment: the leader says nothing, then comes back. */
void seed_group_waits(struct recording *recording)
{
    struct member first = {.connection = 0, .id = SPAN("")};
    struct member second = {.connection = 1, .id = SPAN("")};
    struct member third = {.connection = 2, .id = SPAN("")};
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    for (int i = 0; i < 2; i++) {
        join_send(recording, &first);
        join_send(recording, &second);
    }
    join_send(recording, &third);
    recording_act(recording, TAPE_MILLISECONDS, REBALANCE_MS, 2);
    joined(recording, &first);
    joined(recording, &second);
    look(recording);
    beat(recording, &first, first.generation);
    commit(recording, &first);
    sync_send(recording, &second, NULL);
    second.connection = 2;
    sync_send(recording, &second, NULL);
    recording_act(recording, TAPE_CLOSE + 2, 0, 0);
    join_send(recording, &second);
    second.connection = 1;
    join_send(recording, &second);
    recording_act(recording, TAPE_CLOSE + 1, 0, 0);
    join_send(recording, &third);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS, 2);
    join_send(recording, &first);
    join_send(recording, &second);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS, 2);
    joined(recording, &third);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS, 2);
    look(recording);
    join_send(recording, &first);
    recording_act(recording, TAPE_STOP, 0, 0);
    recording_act(recording, TAPE_HOLD, HOLD_READS, 1);
    join_send(recording, &first);
    beat(recording, &third, 1);
    commit(recording, &third);
    look(recording);
    recording_act(recording, TAPE_RELEASE, 0, 0);
}

/* The leader is there and says nothing, then all but a newcomer; they lose their places. */
void seed_group_silent(struct recording *recording)
{
    struct member first = {.connection = 0, .id = SPAN("")};
    struct member second = {.connection = 1, .id = SPAN("")};
    struct member third = {.connection = 2, .id = SPAN("")};
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    for (int i = 0; i < 2; i++) {
        join_send(recording, &first);
        join_send(recording, &second);
    }
    recording_act(recording, TAPE_MILLISECONDS, REBALANCE_MS, 2);
    joined(recording, &first);
    joined(recording, &second);
    sync_send(recording, &second, NULL);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS * 2 / 3, 2);
    beat(recording, &first, first.generation);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS * 2 / 3, 2);
    join_send(recording, &second);
    joined(recording, &second);
    sync_send(recording, &second, &second);
    for (int i = 0; i < 2; i++)
        join_send(recording, &third);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS * 2 / 3, 2);
    beat(recording, &second, second.generation);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS * 2 / 3, 2);
    joined(recording, &third);
    commit(recording, &third);
    /* The coordinator's own topic changes, and goes. */
    recording->story.topic = SPAN("__consumer_offsets");
    ask(recording, API_INCREMENTAL_ALTER_CONFIGS, 1);
    commit(recording, &third);
    ask(recording, API_DELETE_TOPICS, 5);
    beat(recording, &third, third.generation);
    look(recording);
}

/* What the coordinator cannot write, and does not forget. */
void seed_group_unwritten(struct recording *recording)
{
    struct member first = {.connection = 0, .id = SPAN("")};
    struct member second = {.connection = 1, .id = SPAN("")};
    recording->story.group = SPAN("gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xff");
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    form(recording, &first, &second);
    recording_act(recording, TAPE_HOLD, HOLD_SYNCS, 1);
    commit(recording, &first);
    join_send(recording, &second);
    leave(recording, &second);
    recording_act(recording, TAPE_MILLISECONDS, REBALANCE_MS, 2);
    recording_act(recording, TAPE_RELEASE, 0, 0);
    joined(recording, &second);
    recording_act(recording, TAPE_FAIL, 0, 2);
    commit(recording, &first);
    commit(recording, &second);
    join_send(recording, &first);
    recording_act(recording, TAPE_MILLISECONDS, REBALANCE_MS, 2);
    joined(recording, &first);
    recording_act(recording, TAPE_FAIL, 0, 2);
    sync_send(recording, &first, &second);
    look(recording);
    ask(recording, API_DELETE_GROUPS, 2);
    recording_act(recording, TAPE_POWER_LOSS, 0, 0);
    look(recording);
}

/* Lets the coordinator's log take records of so many bytes. */
static void limit_records(struct recording *recording, struct span bytes)
{
    struct incremental_alter_configs_request *request =
        recording_request(recording, API_INCREMENTAL_ALTER_CONFIGS);
    request->resources->resource_name = SPAN("__consumer_offsets");
    request->resources->configs->name = SPAN("max.message.bytes");
    request->resources->configs->value = bytes;
    recording_call(recording, 3, API_INCREMENTAL_ALTER_CONFIGS, 1, request);
}

/* What the coordinator's log does not take, and then its topic goes. */
void seed_group_untaken(struct recording *recording)
{
    struct member first = {.connection = 0, .id = SPAN("")};
    struct member second = {.connection = 1, .id = SPAN("")};
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    form(recording, &first, &second);
    limit_records(recording, SPAN("100"));
    commit(recording, &first);
    join_send(recording, &first);
    join_send(recording, &second);
    recording_act(recording, TAPE_MILLISECONDS, REBALANCE_MS, 2);
    joined(recording, &first);
    joined(recording, &second);
    sync_send(recording, &second, NULL);
    sync_send(recording, &first, &second);
    limit_records(recording, SPAN("100000"));
    join_send(recording, &second);
    struct delete_topics_request *request = recording_request(recording, API_DELETE_TOPICS);
    request->topics->name = SPAN("__consumer_offsets");
    recording_call(recording, 3, API_DELETE_TOPICS, 6, request);
    joined(recording, &second);
    beat(recording, &first, first.generation);
    commit(recording, &first);
    look(recording);
    ask(recording, API_FIND_COORDINATOR, 4);
    commit(recording, &first);
}

void seed_group_members(struct recording *recording)
{
    struct member first = {.connection = 0, .id = SPAN("")};
    struct member second = {.connection = 1, .id = SPAN("")};
    struct member third = {.connection = 2, .id = SPAN("")};
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    form(recording, &first, &second);
    commit(recording, &first);
    commit(recording, &second);
    beat(recording, &first, first.generation);
    join_send(recording, &third);
    join_send(recording, &third);
    beat(recording, &first, first.generation);
    commit(recording, &first);
    sync_send(recording, &second, NULL);
    join_send(recording, &first);
    join_send(recording, &second);
    joined(recording, &third);
    joined(recording, &first);
    joined(recording, &second);
    sync_send(recording, &second, NULL);
    leave(recording, &third);
    recording_act(recording, TAPE_CLOSE + 1, 0, 0);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS, 2);
    join_send(recording, &first);
    leave(recording, &first);
    look(recording);
    ask(recording, API_DELETE_GROUPS, 2);
}

void seed_group_static(struct recording *recording)
{
    struct member first = {.connection = 0, .instance_id = SPAN("one"), .id = SPAN("")};
    struct member second = {.connection = 1, .instance_id = SPAN("two"), .id = SPAN("")};
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    form(recording, &first, &second);
    commit(recording, &first);
    struct member again = {.connection = 2, .instance_id = SPAN("two"), .id = SPAN("")};
    join_send(recording, &again);
    joined(recording, &again);
    sync_send(recording, &again, NULL);
    beat(recording, &second, second.generation);
    commit(recording, &second);
    leave(recording, &second);
    recording_act(recording, TAPE_KILL, 0, 0);
    look(recording);
    beat(recording, &first, first.generation);
    const struct member again_first = {.connection = 0, .instance_id = SPAN("one"), .id = SPAN("")};
    struct member leader = again_first;
    join_send(recording, &leader);
    joined(recording, &leader);
    recording_act(recording, TAPE_STOP, 0, 0);
    recording_minutes(recording, 1);
    commit(recording, &first);
    leave(recording, &again_first);
    look(recording);
}

static void join_wrong(struct recording *recording, struct span group, struct span protocol_type,
                       struct span protocol, int32_t session_timeout_ms)
{
    struct join_group_request *request = recording_request(recording, API_JOIN_GROUP);
    request->group_id = group;
    request->protocol_type = protocol_type;
    request->protocols->name = protocol;
    request->session_timeout_ms = session_timeout_ms;
    recording_call(recording, 2, API_JOIN_GROUP, 3, request);
}

static void sync_wrong(struct recording *recording, const struct member *member)
{
    struct sync_group_request *request = recording_request(recording, API_SYNC_GROUP);
    request->member_id = member->id;
    request->generation_id = member->generation + 1;
    recording_call(recording, 2, API_SYNC_GROUP, SYNC_VERSION, request);
    request->generation_id = member->generation;
    request->protocol_type = SPAN("connect");
    recording_call(recording, 2, API_SYNC_GROUP, SYNC_VERSION, request);
    request->protocol_type = SPAN("consumer");
    request->protocol_name = SPAN("sticky");
    recording_call(recording, 2, API_SYNC_GROUP, SYNC_VERSION, request);
    request->protocol_name = SPAN_NULL;
    recording_call(recording, 2, API_SYNC_GROUP, SYNC_VERSION, request);
    request->group_id = SPAN("");
    recording_call(recording, 2, API_SYNC_GROUP, SYNC_VERSION, request);
    request->group_id = SPAN("nobody");
    recording_call(recording, 2, API_SYNC_GROUP, 4, request);
}

/* More than a name and a note may have: the one is cut between characters, the other refused. */
static void exceed(struct recording *recording)
{
    uint8_t text[NOTE_BYTES];
    memset(text, 'n', sizeof(text));
    memcpy(text + GROUP_MEMBER_NAME_BYTES_MAX - 1, "\xc3\x9f", 2);
    struct member named = {.connection = 3,
                           .id = SPAN(""),
                           .instance_id = span_of(text, GROUP_MEMBER_NAME_BYTES_MAX + 1)};
    join_send(recording, &named);
    recording_act(recording, TAPE_CLOSE + 3, 0, 0);
    struct offset_commit_request *request = recording_request(recording, API_OFFSET_COMMIT);
    struct offset_commit_request_topic_partition partitions[2];
    partitions[0] = partitions[1] = *request->topics->partitions;
    partitions[0].committed_metadata = span_of(text, sizeof(text));
    request->group_id = SPAN("nobody's");
    request->member_id = SPAN("");
    request->generation_id_or_member_epoch = -1;
    request->topics->partitions = partitions;
    for (int32_t count = 1; count <= 2; count++) {
        request->topics->partitions_count = count;
        recording_call(recording, 2, API_OFFSET_COMMIT, COMMIT_VERSION, request);
    }
}

void seed_group_refused(struct recording *recording)
{
    struct member first = {.connection = 0, .id = SPAN("")};
    struct member second = {.connection = 1, .id = SPAN("")};
    struct member stranger = {.connection = 2, .id = SPAN("stranger"), .generation = 7};
    commit(recording, &stranger);
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    commit(recording, &stranger);
    leave(recording, &stranger);
    beat(recording, &stranger, 1);
    form(recording, &first, &second);
    ask(recording, API_DELETE_GROUPS, 2);
    join_wrong(recording, SPAN(""), SPAN("consumer"), SPAN("range"), 30000);
    join_wrong(recording, SPAN("group-0"), SPAN("connect"), SPAN("range"), 30000);
    join_wrong(recording, SPAN("group-0"), SPAN("consumer"), SPAN("sticky"), 30000);
    join_wrong(recording, SPAN("group-0"), SPAN("consumer"), SPAN("range"), 1);
    join_wrong(recording, SPAN("group-1"), SPAN(""), SPAN("range"), 30000);
    join_send(recording, &stranger);
    sync_wrong(recording, &first);
    commit(recording, &stranger);
    beat(recording, &stranger, 1);
    beat(recording, &first, first.generation + 1);
    stranger.id = first.id;
    commit(recording, &stranger);
    stranger.instance_id = SPAN("three");
    beat(recording, &stranger, first.generation);
    leave(recording, &stranger);
    struct offset_commit_request *request = recording_request(recording, API_OFFSET_COMMIT);
    request->generation_id_or_member_epoch = -1;
    recording_call(recording, 2, API_OFFSET_COMMIT, COMMIT_VERSION, request);
    request->topics->partitions->partition_index = 99;
    request->topics->topic_id.bytes[0] = 1;
    recording_call(recording, 2, API_OFFSET_COMMIT, 10, request);
    exceed(recording);
    /* What waits for the leader is told when the leader does not come back. */
    join_send(recording, &second);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS, 2);
    joined(recording, &second);
    recording_act(recording, TAPE_MILLISECONDS, EXPIRY_MS, 2);
    look(recording);
}

void seed_group_expires(struct recording *recording)
{
    struct offset_commit_request *request = recording_request(recording, API_OFFSET_COMMIT);
    ask(recording, API_CREATE_TOPICS, 7);
    ask(recording, API_FIND_COORDINATOR, 4);
    request->member_id = SPAN("");
    request->generation_id_or_member_epoch = -1;
    recording_call(recording, 0, API_OFFSET_COMMIT, 6, request);
    request->group_id = SPAN("group-1");
    request->retention_time_ms = 1000;
    recording_call(recording, 0, API_OFFSET_COMMIT, 4, request); /* which is being loaded */
    recording_call(recording, 0, API_OFFSET_COMMIT, 4, request);
    recording_minutes(recording, 20);
    look(recording);
    ask(recording, API_DELETE_TOPICS, 5);
    recording_minutes(recording, 30);
    recording_minutes(recording, 60);
    look(recording);
}
