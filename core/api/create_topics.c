/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateTopics (KIP-4; KIP-464 for defaults, KIP-525 for the settings in the answer). Answered when
 * the topics are durable, whatever timeout_ms says: a client that waits less long asks again.
 */
#include "core/api/change.h"
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* The first version whose answer tells how the topic turned out. */
#define VERSION_WITH_CONFIGS 5

struct create_topics {
    struct change change;
    struct create_topics_response *response;
};

/* The request's topic in the terms of core/meta; false when there is no room. */
static bool creation_read(const struct create_topics_request_topic *in, struct arena *arena,
                          struct topic_creation *creation)
{
    struct topic_assignment *assignments =
        arena_array(arena, (size_t)in->assignments_count, sizeof(*assignments));
    struct topic_override *configs =
        arena_array(arena, (size_t)in->configs_count, sizeof(*configs));
    if (assignments == NULL || configs == NULL)
        return false;
    for (int32_t i = 0; i < in->assignments_count; i++) {
        assignments[i] = (struct topic_assignment){
            .partition = in->assignments[i].partition_index,
            .brokers = in->assignments[i].broker_ids,
            .brokers_count = in->assignments[i].broker_ids_count,
        };
    }
    for (int32_t i = 0; i < in->configs_count; i++)
        configs[i] = (struct topic_override){in->configs[i].name, in->configs[i].value};
    *creation = (struct topic_creation){
        .name = in->name,
        .partitions = in->num_partitions,
        .replication_factor = in->replication_factor,
        .assignments = assignments,
        .assignments_count = in->assignments_count,
        .configs = configs,
        .configs_count = in->configs_count,
    };
    return true;
}

/* Every setting of the new topic, with where it comes from. */
static void tell_configs(const struct topic_creation *creation, const struct broker *broker,
                         struct arena *arena, struct create_topics_response_topic *out)
{
    struct create_topics_response_topic_config *configs =
        arena_array(arena, TOPIC_CONF_KEYS, sizeof(*configs));
    if (configs == NULL) {
        out->topic_config_error_code = ERR_POLICY_VIOLATION;
        return;
    }
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        struct conf_description description;
        broker_topic_describe(broker, creation->configs, (uint32_t)creation->configs_count,
                              (enum topic_conf_key)key, &description);
        configs[key] = (struct create_topics_response_topic_config){
            .name = description.name,
            .value = arena_copy(arena, description.value),
            .read_only = description.read_only,
            .config_source = (int8_t)description.source,
        };
    }
    out->configs = configs;
    out->configs_count = TOPIC_CONF_KEYS;
}

static void create_one(struct create_topics *create, const struct create_topics_request_topic *in,
                       struct topics_context *context, struct create_topics_response_topic *out)
{
    struct topic_creation creation;
    *out = wire_default_create_topics_response_topic;
    out->name = in->name;
    if (!creation_read(in, context->arena, &creation)) {
        out->error_code = ERR_POLICY_VIOLATION;
        out->error_message = CHANGE_NO_ROOM;
        return;
    }
    out->error_code = (int16_t)topics_create(context, &creation);
    out->error_message = creation.message;
    if (out->error_code != ERR_NONE)
        return;
    if (!create->change.validate_only)
        out->topic_id = creation.topic_id;
    out->num_partitions = creation.partitions;
    out->replication_factor = (int16_t)creation.replication_factor;
    if (create->change.request->version >= VERSION_WITH_CONFIGS)
        tell_configs(&creation, create->change.broker, context->arena, out);
}

static void create_write(struct change *change, struct topics_context *context)
{
    struct create_topics *create = container_of(change, struct create_topics, change);
    const struct create_topics_request *body = change->request->body;
    for (int32_t i = 0; i < body->topics_count; i++)
        create_one(create, &body->topics[i], context, &create->response->topics[i]);
}

static void create_done(struct change *change, int error)
{
    struct create_topics *create = container_of(change, struct create_topics, change);
    const struct create_topics_request *body = change->request->body;
    for (int32_t i = 0; i < create->response->topics_count && error != ERR_NONE; i++) {
        struct create_topics_response_topic *out = &create->response->topics[i];
        if (out->error_code != ERR_NONE)
            continue;
        *out = wire_default_create_topics_response_topic;
        out->name = body->topics[i].name;
        out->error_message = SPAN_NULL;
        out->error_code = (int16_t)error;
    }
    request_reply(change->request, create->response);
}

void create_topics_handle(struct broker *broker, struct request *request)
{
    const struct create_topics_request *body = request->body;
    struct create_topics *create = change_new(broker, request, sizeof(*create));
    if (create == NULL)
        return;
    create->change.validate_only = body->validate_only;
    create->change.write = create_write;
    create->change.done = create_done;
    create->response = request_response(request);
    struct create_topics_response_topic *topics =
        arena_array(&request->arena, (size_t)body->topics_count, sizeof(*topics));
    if (create->response == NULL || topics == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    create->response->topics = topics;
    create->response->topics_count = body->topics_count;
    change_propose(&create->change);
}
