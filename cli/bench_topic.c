/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define PAUSE_MS      20
#define OFFSETS_END   (-1)
#define OFFSETS_START (-2)

static int fail(struct client *client, const char *what, const char *why)
{
    char text[CLIENT_MESSAGE_BYTES];
    snprintf(text, sizeof(text), "%s: %s", what, why);
    memcpy(client->message, text, sizeof(text));
    return -1;
}

/* Returns 0, also when the topic was there; or -1 with client->message. */
static int create(const struct bench_plan *plan, struct client *client)
{
    struct create_topics_request_topic topic;
    struct create_topics_request request;
    struct create_topics_response response;
    memset(&topic, 0, sizeof(topic));
    wire_defaults(&wire_create_topics_request, &request);
    topic.name = span_text(plan->topic);
    topic.num_partitions = plan->create_partitions;
    topic.replication_factor = plan->create_replicas;
    request.topics = &topic;
    request.topics_count = 1;
    request.timeout_ms = plan->timeout_ms;
    if (client_call(client, API_CREATE_TOPICS, &request, &response) != 0)
        return -1;
    if (response.topics_count != 1)
        return fail(client, plan->topic, "the broker did not answer whether it was created");
    const int16_t error = response.topics[0].error_code;
    if (error == ERR_NONE || error == ERR_TOPIC_ALREADY_EXISTS)
        return 0;
    return fail(client, plan->topic,
                client_error_text(client, error, response.topics[0].error_message));
}

/* The topic as a broker sees it; NULL with client->message when that does not answer. */
static const struct metadata_response_topic *
ask(const struct bench_plan *plan, struct client *client, struct metadata_response *response)
{
    struct metadata_request_topic topic;
    struct metadata_request request;
    memset(&topic, 0, sizeof(topic));
    wire_defaults(&wire_metadata_request, &request);
    topic.name = span_text(plan->topic);
    request.topics = &topic;
    request.topics_count = 1;
    request.allow_auto_topic_creation = false;
    if (client_call(client, API_METADATA, &request, response) != 0)
        return NULL;
    if (response->topics_count != 1) {
        fail(client, plan->topic, "the broker did not answer about it");
        return NULL;
    }
    return &response->topics[0];
}

static void write_address(const struct metadata_response_broker *broker, char *ret_address)
{
    const bool is_v6 = memchr(broker->host.data, ':', broker->host.length) != NULL;
    snprintf(ret_address, BENCH_ADDRESS_BYTES, "%s%.*s%s:%d", is_v6 ? "[" : "",
             (int)broker->host.length, (const char *)broker->host.data, is_v6 ? "]" : "",
             broker->port);
}

/* Notes who leads each partition. Returns 0, or an error's code. */
static int16_t note(struct bench_topic *topic, const struct metadata_response *response,
                    const struct metadata_response_topic *seen)
{
    if (seen->error_code != ERR_NONE)
        return seen->error_code;
    if (seen->partitions_count == 0)
        return ERR_LEADER_NOT_AVAILABLE;
    topic->id = seen->topic_id;
    topic->partitions_count = 0;
    for (int32_t i = 0; i < seen->partitions_count; i++) {
        struct bench_partition *partition = &topic->partitions[i];
        partition->number = seen->partitions[i].partition_index;
        partition->leader[0] = '\0';
        for (int32_t j = 0; j < response->brokers_count; j++) {
            if (response->brokers[j].node_id == seen->partitions[i].leader_id)
                write_address(&response->brokers[j], partition->leader);
        }
        if (partition->leader[0] == '\0')
            return ERR_LEADER_NOT_AVAILABLE;
        topic->partitions_count++;
    }
    return ERR_NONE;
}

static int by_number(const void *left, const void *right)
{
    const int32_t a = ((const struct bench_partition *)left)->number;
    const int32_t b = ((const struct bench_partition *)right)->number;
    return (a > b) - (a < b);
}

/* True for what passes while the news of a topic spreads. */
static bool passes(int16_t error)
{
    return error == ERR_UNKNOWN_TOPIC_OR_PARTITION || error == ERR_LEADER_NOT_AVAILABLE ||
           error == ERR_NOT_LEADER_OR_FOLLOWER;
}

int bench_topic_open(struct bench_topic *topic, const struct bench_plan *plan,
                     struct client *client)
{
    *topic = (struct bench_topic){0};
    if (client_open(client, plan->servers, plan->timeout_ms) != 0 ||
        (plan->create_partitions > 0 && create(plan, client) != 0))
        return -1;
    for (int waited_ms = 0;; waited_ms += PAUSE_MS) {
        struct metadata_response response;
        const struct metadata_response_topic *seen = ask(plan, client, &response);
        if (seen == NULL)
            return -1;
        free(topic->partitions);
        topic->partitions =
            calloc((size_t)seen->partitions_count + 1, sizeof(topic->partitions[0]));
        if (topic->partitions == NULL)
            return fail(client, plan->topic, "out of memory");
        const int16_t error = note(topic, &response, seen);
        if (error == ERR_NONE)
            break;
        if (error == ERR_UNKNOWN_TOPIC_OR_PARTITION && plan->create_partitions == 0)
            return fail(client, plan->topic,
                        "there is no such topic; --create PARTITIONS:REPLICAS makes it");
        if (!passes(error) || waited_ms >= plan->timeout_ms)
            return fail(client, plan->topic, client_error_text(client, error, SPAN_NULL));
        usleep(PAUSE_MS * 1000);
    }
    qsort(topic->partitions, topic->partitions_count, sizeof(topic->partitions[0]), by_number);
    return 0;
}

void bench_topic_free(struct bench_topic *topic)
{
    free(topic->partitions);
    *topic = (struct bench_topic){0};
}

/* Asks for the offset that `time` stands for. Returns 0; -1 with client->message; or an error's
 * code. */
static int ask_offset(struct client *client, const char *name, int32_t number, int64_t time,
                      int64_t *ret_offset)
{
    struct list_offsets_request_topic_partition partition = {
        .partition_index = number, .current_leader_epoch = -1, .timestamp = time};
    struct list_offsets_request_topic topic = {
        .name = span_text(name), .partitions = &partition, .partitions_count = 1};
    struct list_offsets_request request;
    struct list_offsets_response response;
    wire_defaults(&wire_list_offsets_request, &request);
    request.replica_id = -1;
    request.topics = &topic;
    request.topics_count = 1;
    if (client_call(client, API_LIST_OFFSETS, &request, &response) != 0)
        return -1;
    if (response.topics_count != 1 || response.topics[0].partitions_count != 1)
        return fail(client, name, "the broker did not answer where it begins and ends");
    *ret_offset = response.topics[0].partitions[0].offset;
    return response.topics[0].partitions[0].error_code;
}

int bench_topic_offsets(struct client *client, const struct bench_plan *plan, int32_t partition,
                        int64_t *ret_start, int64_t *ret_end)
{
    for (int waited_ms = 0;; waited_ms += PAUSE_MS) {
        int error = ask_offset(client, plan->topic, partition, OFFSETS_START, ret_start);
        if (error == ERR_NONE)
            error = ask_offset(client, plan->topic, partition, OFFSETS_END, ret_end);
        if (error == ERR_NONE)
            return 0;
        if (error == -1)
            return -1;
        if (!passes((int16_t)error) || waited_ms >= plan->timeout_ms)
            return fail(client, plan->topic, client_error_text(client, (int16_t)error, SPAN_NULL));
        usleep(PAUSE_MS * 1000);
    }
}
