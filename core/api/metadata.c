/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata: who the brokers are and who leads what. Topics that are missing are created first, if
 * client and broker want that, and then the answer waits until they are durable.
 */
#include "core/api/authorized.h"
#include "core/api/change.h"
#include "core/api/leaders.h"
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/meta/identity.h"
#include "core/session.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Ids are told from version 10 on, and taken in requests from version 12 on (KIP-516). */
#define VERSION_WITH_IDS 10
#define VERSION_BY_ID    12

/* Clients of earlier versions do not know LISTENER_NOT_FOUND (KIP-226). */
#define VERSION_WITH_LISTENERS 6

struct metadata {
    struct change change;
    struct metadata_response *response;
    int16_t *creation_errors; /* by the topic's place in the request; NULL: nothing was created */
    bool is_full;             /* the request's arena */
};

static void *take_array(struct metadata *metadata, size_t count, size_t size)
{
    void *array = arena_array(&metadata->change.request->arena, count, size);
    if (array == NULL)
        metadata->is_full = true;
    return array;
}

/* The brokers that clients of this listener can reach. */
static void tell_brokers(struct metadata *metadata)
{
    const struct broker *broker = metadata->change.broker;
    const struct image *image = &broker->image;
    const uint32_t number = metadata->change.request->session->listener;
    const struct span listener = broker->conf->listeners[number].name;
    struct metadata_response_broker *brokers =
        take_array(metadata, image->brokers_count, sizeof(*brokers));
    if (brokers == NULL)
        return;
    metadata->response->brokers = brokers;
    for (uint32_t i = 0; i < image->brokers_count; i++) {
        const struct meta_broker *found = &image->brokers[i];
        const struct meta_endpoint *endpoint = image_endpoint(found, listener);
        if (endpoint == NULL || found->fenced)
            continue;
        brokers[metadata->response->brokers_count++] = (struct metadata_response_broker){
            .node_id = found->id,
            .host = endpoint->host,
            .port = endpoint->port,
            .rack = found->rack,
        };
    }
}

static bool broker_is_live(const struct image *image, int32_t id)
{
    const struct meta_broker *broker = image_broker(image, id);
    return broker != NULL && !broker->fenced;
}

/* One partition; its three lists are written one behind the other from `*list` on. */
static void tell_partition(const struct metadata *metadata, const struct meta_partition *partition,
                           int32_t **list, struct metadata_response_topic_partition *out)
{
    const struct image *image = &metadata->change.broker->image;
    const int32_t *replicas = meta_replicas(partition);
    const struct request *request = metadata->change.request;
    const int error = leader_check(metadata->change.broker, request, partition->leader);
    out->error_code = (int16_t)error;
    if (error == ERR_LISTENER_NOT_FOUND && request->version < VERSION_WITH_LISTENERS)
        out->error_code = ERR_LEADER_NOT_AVAILABLE;
    out->leader_id = error == ERR_NONE ? partition->leader : META_NO_LEADER;
    out->leader_epoch = partition->leader_epoch;
    out->replica_nodes = *list;
    out->replica_nodes_count = partition->replicas_count;
    out->isr_nodes = *list + partition->replicas_count;
    out->isr_nodes_count = partition->isr_count;
    /* Both lie together in the image, too. */
    const size_t both = (size_t)partition->replicas_count + partition->isr_count;
    memcpy(*list, replicas, both * sizeof(int32_t));
    *list += both;
    out->offline_replicas = *list;
    for (uint32_t i = 0; i < partition->replicas_count; i++) {
        if (!broker_is_live(image, replicas[i]))
            out->offline_replicas[out->offline_replicas_count++] = replicas[i];
    }
    *list += out->offline_replicas_count;
}

static void tell_topic(struct metadata *metadata, const struct meta_topic *topic,
                       struct metadata_response_topic *out)
{
    size_t ids = 0;
    for (int32_t i = 0; i < topic->partitions_count; i++)
        ids += 2 * (size_t)topic->partitions[i].replicas_count + topic->partitions[i].isr_count;
    struct metadata_response_topic_partition *partitions =
        take_array(metadata, (size_t)topic->partitions_count, sizeof(*partitions));
    int32_t *list = take_array(metadata, ids, sizeof(*list));
    if (partitions == NULL || list == NULL)
        return;
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        partitions[i] = wire_default_metadata_response_topic_partition;
        partitions[i].partition_index = i;
        tell_partition(metadata, &topic->partitions[i], &list, &partitions[i]);
    }
    const struct metadata_request *body = metadata->change.request->body;
    out->name = topic->name;
    out->topic_id = topic->id;
    out->is_internal = topic_is_internal(topic->name);
    out->partitions = partitions;
    out->partitions_count = topic->partitions_count;
    if (body->include_topic_authorized_operations)
        out->topic_authorized_operations = AUTHORIZED_TOPIC;
}

static void tell_all_topics(struct metadata *metadata)
{
    const struct image *image = &metadata->change.broker->image;
    struct metadata_response *response = metadata->response;
    const uint32_t count = map_count(&image->topics_by_name);
    response->topics = take_array(metadata, count, sizeof(*response->topics));
    const struct meta_topic *topic = image_first_topic(image);
    for (; topic != NULL && !metadata->is_full; topic = image_next_topic(topic)) {
        struct metadata_response_topic *out = &response->topics[response->topics_count++];
        *out = wire_default_metadata_response_topic;
        tell_topic(metadata, topic, out);
    }
}

/* Why a topic that was asked for by its name is not there. */
static int16_t missing_error(const struct metadata *metadata, int32_t place, struct span name)
{
    const char *why;
    if (topic_check_name(name, &why) != ERR_NONE)
        return ERR_INVALID_TOPIC_EXCEPTION;
    if (metadata->creation_errors != NULL && metadata->creation_errors[place] != ERR_NONE)
        return metadata->creation_errors[place];
    return ERR_UNKNOWN_TOPIC_OR_PARTITION;
}

static void tell_asked_topic(struct metadata *metadata, int32_t place,
                             const struct metadata_request_topic *in,
                             struct metadata_response_topic *out)
{
    const struct image *image = &metadata->change.broker->image;
    const int16_t version = metadata->change.request->version;
    const bool by_id = !uuid_is_zero(in->topic_id) || span_is_null(in->name);
    *out = wire_default_metadata_response_topic;
    if (by_id && version < VERSION_BY_ID) {
        out->error_code = ERR_INVALID_REQUEST;
        out->name = span_is_null(in->name) ? SPAN("") : in->name;
        out->topic_id = in->topic_id;
        return;
    }
    const struct meta_topic *topic =
        by_id ? image_topic_by_id(image, in->topic_id) : image_topic(image, in->name);
    if (topic != NULL) {
        tell_topic(metadata, topic, out);
        return;
    }
    out->topic_id = in->topic_id;
    if (by_id) {
        out->name = SPAN_NULL;
        out->error_code = ERR_UNKNOWN_TOPIC_ID;
        return;
    }
    out->name = in->name;
    out->error_code = missing_error(metadata, place, in->name);
    out->is_internal = topic_is_internal(in->name);
}

static void tell_asked_topics(struct metadata *metadata)
{
    const struct metadata_request *body = metadata->change.request->body;
    struct metadata_response *response = metadata->response;
    response->topics = take_array(metadata, (size_t)body->topics_count, sizeof(*response->topics));
    for (int32_t i = 0; i < body->topics_count && !metadata->is_full; i++)
        tell_asked_topic(metadata, i, &body->topics[i],
                         &response->topics[response->topics_count++]);
}

/* Version 0 has no null: there an empty list means all topics. */
static bool all_are_asked(const struct request *request)
{
    const struct metadata_request *body = request->body;
    return body->topics_count < 0 || (body->topics_count == 0 && request->version == 0);
}

static void answer(struct metadata *metadata)
{
    struct request *request = metadata->change.request;
    const struct broker *broker = metadata->change.broker;
    const struct metadata_request *body = request->body;
    struct metadata_response *response = metadata->response;
    response->cluster_id = identity_cluster_id(broker->identity);
    response->controller_id = broker->conf->node_id;
    if (body->include_cluster_authorized_operations)
        response->cluster_authorized_operations = AUTHORIZED_CLUSTER;
    tell_brokers(metadata);
    if (all_are_asked(request))
        tell_all_topics(metadata);
    else
        tell_asked_topics(metadata);
    if (metadata->is_full)
        request_refuse(request, "there is no memory for an answer to it");
    else
        request_reply(request, response);
}

/* True for a topic of the request that is to be created when it is missing. */
static bool may_create(const struct metadata *metadata, const struct metadata_request_topic *in)
{
    const char *why;
    return uuid_is_zero(in->topic_id) && !span_is_null(in->name) &&
           image_topic(&metadata->change.broker->image, in->name) == NULL &&
           topic_check_name(in->name, &why) == ERR_NONE;
}

static int create_one(struct topics_context *context, struct span name)
{
    struct topic_override configs[TOPICS_OFFSETS_CONFIGS];
    struct topic_creation creation = {.name = name, .partitions = -1, .replication_factor = -1};
    if (span_equal(name, SPAN("__consumer_offsets")))
        topics_offsets_creation(context->conf, configs, &creation);
    else if (topic_is_internal(name))
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    return topics_create(context, &creation);
}

static void create_write(struct change *change, struct topics_context *context)
{
    struct metadata *metadata = container_of(change, struct metadata, change);
    const struct metadata_request *body = change->request->body;
    for (int32_t i = 0; i < body->topics_count; i++) {
        if (!may_create(metadata, &body->topics[i]))
            continue;
        int error = create_one(context, body->topics[i].name);
        /* Another place of the request has created it, or there is room in the next request: the
         * client asks again. */
        if (error == ERR_INVALID_REQUEST || error == ERR_POLICY_VIOLATION)
            error = ERR_LEADER_NOT_AVAILABLE;
        metadata->creation_errors[i] = (int16_t)error;
    }
}

static void create_done(struct change *change, int error)
{
    struct metadata *metadata = container_of(change, struct metadata, change);
    const struct metadata_request *body = change->request->body;
    for (int32_t i = 0; i < body->topics_count && error != ERR_NONE; i++) {
        if (metadata->creation_errors[i] == ERR_NONE)
            metadata->creation_errors[i] = ERR_LEADER_NOT_AVAILABLE;
    }
    answer(metadata);
}

static bool has_to_create(const struct metadata *metadata)
{
    const struct broker *broker = metadata->change.broker;
    const struct metadata_request *body = metadata->change.request->body;
    if (!body->allow_auto_topic_creation ||
        !conf_bool(broker->conf, CONF_AUTO_CREATE_TOPICS_ENABLE))
        return false;
    for (int32_t i = 0; i < body->topics_count; i++) {
        if (may_create(metadata, &body->topics[i]))
            return true;
    }
    return false;
}

void metadata_handle(struct broker *broker, struct request *request)
{
    const struct metadata_request *body = request->body;
    struct metadata *metadata = change_new(broker, request, sizeof(*metadata));
    if (metadata == NULL)
        return;
    metadata->change.write = create_write;
    metadata->change.done = create_done;
    metadata->response = request_response(request);
    if (metadata->response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    if (!has_to_create(metadata)) {
        answer(metadata);
        return;
    }
    metadata->creation_errors =
        take_array(metadata, (size_t)body->topics_count, sizeof(*metadata->creation_errors));
    if (metadata->is_full)
        request_refuse(request, "there is no memory for it");
    else
        change_propose(&metadata->change);
}
