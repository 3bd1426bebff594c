/* SPDX-License-Identifier: Apache-2.0 */
/* IncrementalAlterConfigs (KIP-339): for topics, and for what the brokers of a cluster agree on.
 * All else of a broker is read when it starts. */
#include "core/api/change.h"
#include "core/api/resource.h"
#include "core/api/table.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

struct alter_configs {
    struct change change;
    struct incremental_alter_configs_response *response;
};

/* Of a topic, or of all brokers (NULL). */
static int alter_keys(struct topics_context *context, const struct meta_topic *topic,
                      const struct incremental_alter_configs_request_resource *in,
                      struct span *ret_message)
{
    struct topic_alteration *alterations =
        arena_array(context->arena, (size_t)in->configs_count, sizeof(*alterations));
    if (alterations == NULL) {
        *ret_message = CHANGE_NO_ROOM;
        return ERR_POLICY_VIOLATION;
    }
    for (int32_t i = 0; i < in->configs_count; i++) {
        alterations[i] = (struct topic_alteration){
            .key = in->configs[i].name,
            .value = in->configs[i].value,
            .operation = in->configs[i].config_operation,
        };
    }
    return topics_alter(context, topic, alterations, in->configs_count, ret_message);
}

static int alter_one(struct topics_context *context,
                     const struct incremental_alter_configs_request_resource *in,
                     struct span *ret_message)
{
    const struct meta_topic *topic;
    switch (in->resource_type) {
    case RESOURCE_TOPIC:
        topic = image_topic(context->image, in->resource_name);
        return topic == NULL ? ERR_UNKNOWN_TOPIC_OR_PARTITION
                             : alter_keys(context, topic, in, ret_message);
    case RESOURCE_BROKER:
        if (context->conf->is_cluster && in->resource_name.length == 0)
            return alter_keys(context, NULL, in, ret_message);
        *ret_message = SPAN("A broker's settings are read when it starts: change its file, then "
                            "start it anew.");
        return ERR_INVALID_REQUEST;
    default:
        *ret_message = arena_format(context->arena, "Resources of type %d have no settings here.",
                                    in->resource_type);
        return ERR_INVALID_REQUEST;
    }
}

static void alter_write(struct change *change, struct topics_context *context)
{
    struct alter_configs *alter = container_of(change, struct alter_configs, change);
    const struct incremental_alter_configs_request *body = change->request->body;
    for (int32_t i = 0; i < body->resources_count; i++) {
        struct incremental_alter_configs_response_response *out = &alter->response->responses[i];
        out->error_code = (int16_t)alter_one(context, &body->resources[i], &out->error_message);
    }
}

static void alter_done(struct change *change, int error)
{
    struct alter_configs *alter = container_of(change, struct alter_configs, change);
    for (int32_t i = 0; i < alter->response->responses_count && error != ERR_NONE; i++) {
        if (alter->response->responses[i].error_code == ERR_NONE)
            alter->response->responses[i].error_code = (int16_t)error;
    }
    request_reply(change->request, alter->response);
}

void incremental_alter_configs_handle(struct broker *broker, struct request *request)
{
    const struct incremental_alter_configs_request *body = request->body;
    struct alter_configs *alter = change_new(broker, request, sizeof(*alter));
    if (alter == NULL)
        return;
    alter->change.validate_only = body->validate_only;
    alter->change.write = alter_write;
    alter->change.done = alter_done;
    alter->response = request_response(request);
    struct incremental_alter_configs_response_response *responses =
        arena_array(&request->arena, (size_t)body->resources_count, sizeof(*responses));
    if (alter->response == NULL || responses == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    for (int32_t i = 0; i < body->resources_count; i++) {
        responses[i].resource_type = body->resources[i].resource_type;
        responses[i].resource_name = body->resources[i].resource_name;
    }
    alter->response->responses = responses;
    alter->response->responses_count = body->resources_count;
    change_propose(&alter->change);
}
