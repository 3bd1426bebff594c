/* SPDX-License-Identifier: Apache-2.0 */
/* Stories of who asks about the cluster, and wants it changed. */
#include "core/meta/topics.h"
#include "core/wire/messages.h"
#include "fuzz/recording.h"
#include "fuzz/seed_stories.h"

static void describe_pages(struct recording *recording)
{
    struct describe_topic_partitions_request *request =
        recording_request(recording, API_DESCRIBE_TOPIC_PARTITIONS);
    struct describe_topic_partitions_request_cursor cursor = {.topic_name = SPAN("a")};
    request->cursor = &cursor;
    for (int32_t partition = -1; partition <= 1; partition++) {
        cursor.partition_index = partition;
        recording_call(recording, 0, API_DESCRIBE_TOPIC_PARTITIONS, 0, request);
    }
    request->topics_count = 0;
    request->cursor = NULL;
    request->include_followers = true;
    for (int32_t limit = 0; limit <= 4; limit += 2) {
        request->response_partition_limit = limit;
        recording_call(recording, 0, API_DESCRIBE_TOPIC_PARTITIONS, 0, request);
    }
    struct describe_topic_partitions_request_topic wrong[] = {
        {SPAN("unheard-of")}, {SPAN("..")}, {SPAN("unheard-of")}};
    request->topics = wrong;
    request->topics_count = 3;
    recording_call(recording, 0, API_DESCRIBE_TOPIC_PARTITIONS, 0, request);
}

static void elect_all(struct recording *recording)
{
    struct elect_leaders_request *request = recording_request(recording, API_ELECT_LEADERS);
    request->topic_partitions_count = -1;
    for (int8_t type = -1; type <= 1; type++) {
        request->election_type = type;
        recording_call(recording, 0, API_ELECT_LEADERS, 2, request);
    }
    request = recording_request(recording, API_ELECT_LEADERS);
    request->topic_partitions->topic = SPAN("unheard-of");
    recording_call(recording, 0, API_ELECT_LEADERS, 1, request);
}

static void change_voters(struct recording *recording)
{
    struct add_raft_voter_request *add = recording_request(recording, API_ADD_RAFT_VOTER);
    struct add_raft_voter_request_listener listener = {SPAN("CONTROLLER"), SPAN("n9"), 9093};
    add->cluster_id = SPAN_NULL;
    recording_call(recording, 0, API_ADD_RAFT_VOTER, 1, add);
    add->voter_id = 9;
    add->voter_directory_id.bytes[0] = 9;
    add->listeners = &listener;
    add->listeners_count = 1;
    add->timeout_ms = 500;
    recording_call(recording, 0, API_ADD_RAFT_VOTER, 1, add);
    recording_act(recording, TAPE_MILLISECONDS, 1000, 2);
    recording_response(recording, 0, API_ADD_RAFT_VOTER, 1);
    struct remove_raft_voter_request *remove = recording_request(recording, API_REMOVE_RAFT_VOTER);
    remove->cluster_id = SPAN_NULL;
    remove->voter_id = 9;
    recording_call(recording, 0, API_REMOVE_RAFT_VOTER, 0, remove);
    struct describe_quorum_request *quorum = recording_request(recording, API_DESCRIBE_QUORUM);
    quorum->topics->topic_name = SPAN(TOPICS_METADATA_NAME);
    const struct describe_quorum_response *told =
        recording_call(recording, 0, API_DESCRIBE_QUORUM, 2, quorum);
    if (told == NULL || told->topics_count != 1)
        return;
    const struct describe_quorum_response_topic_partition_current_voter *self =
        told->topics->partitions->current_voters;
    remove->voter_id = self->replica_id;
    remove->voter_directory_id = self->replica_directory_id;
    recording_call(recording, 0, API_REMOVE_RAFT_VOTER, 0, remove);
}

void seed_cluster(struct recording *recording)
{
    for (int round = 0; round < 2; round++) {
        struct create_topics_request *create = recording_request(recording, API_CREATE_TOPICS);
        create->topics->name = round == 0 ? SPAN("a") : SPAN("b");
        recording_call(recording, 0, API_CREATE_TOPICS, 7, create);
    }
    describe_pages(recording);
    elect_all(recording);
    struct unregister_broker_request *forget = recording_request(recording, API_UNREGISTER_BROKER);
    forget->broker_id = 1;
    recording_call(recording, 0, API_UNREGISTER_BROKER, 0, forget);
    struct describe_log_dirs_request *folders = recording_request(recording, API_DESCRIBE_LOG_DIRS);
    folders->topics_count = -1;
    recording_call(recording, 0, API_DESCRIBE_LOG_DIRS, 4, folders);
    change_voters(recording);
}
