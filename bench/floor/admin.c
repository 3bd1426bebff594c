/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/admin.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/floor/data.h"
#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define NODE_ID              0
#define METADATA_VERSION_MAX 9 /* topics have no ids here */
#define OFFSETS_START        (-2)

/* One request on its way. */
struct call {
    struct floor *floor;
    struct link *link;
    const struct wire_api *api;
    struct request_header header;
    struct span body;
};

static int refuse(const char *why)
{
    fprintf(stderr, "floor: a connection is closed: %s\n", why);
    return -1;
}

/* Puts a response. Returns 0 or -1. */
static int reply(const struct call *call, int16_t version, const void *response)
{
    const struct response_header header = {.correlation_id = call->header.correlation_id};
    const int16_t header_version = wire_response_header_version(call->api, version);
    const size_t length = wire_size(&wire_response_header, header_version, &header) +
                          wire_size(call->api->response, version, response);
    uint8_t *at = link_put(call->link, 4 + length);
    if (at == NULL)
        return refuse("out of memory");
    struct wire_writer writer = {.data = at + 4, .capacity = length};
    put_be32(at, (uint32_t)length);
    wire_encode(&wire_response_header, header_version, &header, &writer);
    wire_encode(call->api->response, version, response, &writer);
    return 0;
}

/* An array in the arena; the program ends without memory for that. */
static void *array(const struct call *call, int32_t count, size_t size)
{
    void *taken = arena_array(&call->floor->arena, (size_t)count + 1, size);
    if (taken == NULL)
        abort();
    return taken;
}

static int answer_versions(const struct call *call, int16_t version)
{
    struct api_versions_response_api_key keys[] = {
        {API_PRODUCE, DATA_PRODUCE_MIN, DATA_PRODUCE_MAX},
        {API_FETCH, DATA_FETCH, DATA_FETCH},
        {API_LIST_OFFSETS, 1, wire_api_find(API_LIST_OFFSETS)->version_max},
        {API_METADATA, 0, METADATA_VERSION_MAX},
        {API_CREATE_TOPICS, 2, wire_api_find(API_CREATE_TOPICS)->version_max},
        {API_API_VERSIONS, 0, call->api->version_max},
    };
    struct api_versions_response response;
    wire_defaults(&wire_api_versions_response, &response);
    response.error_code = version > call->api->version_max ? ERR_UNSUPPORTED_VERSION : ERR_NONE;
    response.api_keys = keys;
    response.api_keys_count = sizeof(keys) / sizeof(keys[0]);
    return reply(call, version > call->api->version_max ? 0 : version, &response);
}

static void describe(const struct call *call, struct span name,
                     struct metadata_response_topic *ret_topic)
{
    const struct topic *topic = topics_find(&call->floor->topics, name.data, name.length);
    static int32_t nodes[] = {NODE_ID};
    *ret_topic = wire_default_metadata_response_topic;
    ret_topic->name = name;
    ret_topic->error_code = topic == NULL ? ERR_UNKNOWN_TOPIC_OR_PARTITION : ERR_NONE;
    if (topic == NULL)
        return;
    ret_topic->partitions_count = topic->partitions_count;
    ret_topic->partitions = array(call, topic->partitions_count, sizeof(ret_topic->partitions[0]));
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        ret_topic->partitions[i] = (struct metadata_response_topic_partition){
            .partition_index = i,
            .leader_id = NODE_ID,
            .replica_nodes = nodes,
            .replica_nodes_count = 1,
            .isr_nodes = nodes,
            .isr_nodes_count = 1,
        };
    }
}

static int answer_metadata(const struct call *call, const struct metadata_request *request)
{
    const struct topics *topics = &call->floor->topics;
    const bool all = request->topics == NULL;
    const int32_t count = all ? (int32_t)topics->count : request->topics_count;
    struct metadata_response_broker broker = {
        .node_id = NODE_ID, .host = SPAN("127.0.0.1"), .port = call->floor->port};
    struct metadata_response response;
    wire_defaults(&wire_metadata_response, &response);
    response.brokers = &broker;
    response.brokers_count = 1;
    response.controller_id = NODE_ID;
    response.topics_count = count;
    response.topics = array(call, count, sizeof(response.topics[0]));
    for (int32_t i = 0; i < count; i++)
        describe(call, all ? span_text(topics->topics[i].name) : request->topics[i].name,
                 &response.topics[i]);
    return reply(call, call->header.request_api_version, &response);
}

static int answer_create(const struct call *call, const struct create_topics_request *request)
{
    struct floor *floor = call->floor;
    struct create_topics_response response;
    wire_defaults(&wire_create_topics_response, &response);
    response.topics_count = request->topics_count;
    response.topics = array(call, request->topics_count, sizeof(response.topics[0]));
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct create_topics_request_topic *asked = &request->topics[i];
        const uint32_t before = floor->topics.all_count;
        response.topics[i] = wire_default_create_topics_response_topic;
        response.topics[i].name = asked->name;
        response.topics[i].error_code =
            topics_create(&floor->topics, asked->name, asked->num_partitions);
        for (uint32_t number = before; number < floor->topics.all_count; number++) {
            if (leader_create(&floor->leader, number) != 0)
                return refuse("a follower is gone");
        }
    }
    return reply(call, call->header.request_api_version, &response);
}

static void find_offset(const struct call *call, struct span name,
                        const struct list_offsets_request_topic_partition *asked,
                        struct list_offsets_response_topic_partition *ret_found)
{
    const struct topic *topic = topics_find(&call->floor->topics, name.data, name.length);
    *ret_found = wire_default_list_offsets_response_topic_partition;
    ret_found->partition_index = asked->partition_index;
    if (topic == NULL || asked->partition_index < 0 ||
        asked->partition_index >= topic->partitions_count) {
        ret_found->error_code = ERR_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    const struct partition *partition = &topic->partitions[asked->partition_index];
    ret_found->offset =
        asked->timestamp == OFFSETS_START ? partition_start(partition) : partition->visible;
}

static int answer_offsets(const struct call *call, const struct list_offsets_request *request)
{
    struct list_offsets_response response;
    wire_defaults(&wire_list_offsets_response, &response);
    response.topics_count = request->topics_count;
    response.topics = array(call, request->topics_count, sizeof(response.topics[0]));
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct list_offsets_request_topic *asked = &request->topics[i];
        struct list_offsets_response_topic *topic = &response.topics[i];
        topic->name = asked->name;
        topic->partitions_count = asked->partitions_count;
        topic->partitions = array(call, asked->partitions_count, sizeof(topic->partitions[0]));
        for (int32_t j = 0; j < asked->partitions_count; j++)
            find_offset(call, asked->name, &asked->partitions[j], &topic->partitions[j]);
    }
    return reply(call, call->header.request_api_version, &response);
}

static int dispatch(const struct call *call)
{
    const int16_t key = call->api->key;
    void *request = arena_take(&call->floor->arena, call->api->request->size);
    if (request == NULL || wire_decode(call->api->request, call->header.request_api_version,
                                       call->body, &call->floor->arena, request) != ERR_NONE)
        return refuse("a request that cannot be decoded");
    if (key == API_METADATA)
        return answer_metadata(call, request);
    if (key == API_CREATE_TOPICS)
        return answer_create(call, request);
    if (key == API_LIST_OFFSETS)
        return answer_offsets(call, request);
    return refuse("an API that chronik bench does not use");
}

int admin_answer(struct floor *floor, struct link *link, struct span frame)
{
    struct call call = {.floor = floor, .link = link};
    size_t used = 0;
    if (frame.length < 8)
        return refuse("a request that is too short");
    const int16_t version = (int16_t)get_be16(frame.data + 2);
    call.api = wire_api_find((int16_t)get_be16(frame.data));
    call.header.correlation_id = (int32_t)get_be32(frame.data + 4);
    if (call.api == NULL || link->pending > 0)
        return refuse("an API that chronik bench does not use");
    if (call.api->key == API_API_VERSIONS)
        return answer_versions(&call, version);
    arena_reset(&floor->arena);
    if (version < call.api->version_min || version > call.api->version_max ||
        wire_decode_prefix(&wire_request_header, wire_request_header_version(call.api, version),
                           frame, &floor->arena, &call.header, &used) != ERR_NONE)
        return refuse("a request that cannot be decoded");
    call.body = span_of(frame.data + used, frame.length - used);
    return dispatch(&call);
}
