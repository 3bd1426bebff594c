/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeConfigs (KIP-133, KIP-226, KIP-569): every setting of topics, of this broker and of all
 * brokers. */
#include "core/api/resource.h"
#include "core/api/table.h"
#include "core/base/format.h"
#include "core/broker_state.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Keys that one resource may be asked for by name: more than there are. */
#define DESCRIBE_KEYS_MAX 1024

struct describe {
    struct broker *broker;
    struct arena *arena;
    const struct describe_configs_request *body;
    bool is_full; /* the arena */
};

static bool key_is_wanted(const struct describe_configs_request_resource *in, struct span name)
{
    if (in->configuration_keys_count <= 0)
        return true;
    for (int32_t i = 0; i < in->configuration_keys_count; i++) {
        if (span_equal(in->configuration_keys[i], name))
            return true;
    }
    return false;
}

/* Values may point into the description itself. */
static struct span keep(struct describe *describe, struct span value)
{
    const struct span copy = arena_copy(describe->arena, value);
    if (span_is_null(copy) && !span_is_null(value))
        describe->is_full = true;
    return copy;
}

static void tell_synonyms(struct describe *describe, const struct conf_description *description,
                          struct describe_configs_response_result_config *out)
{
    struct describe_configs_response_result_config_synonym *synonyms =
        arena_array(describe->arena, description->synonyms_count, sizeof(*synonyms));
    if (synonyms == NULL) {
        describe->is_full = true;
        return;
    }
    for (uint32_t i = 0; i < description->synonyms_count; i++) {
        synonyms[i].name = description->synonyms[i].name;
        synonyms[i].value = keep(describe, description->synonyms[i].value);
        synonyms[i].source = (int8_t)description->synonyms[i].source;
    }
    out->synonyms = synonyms;
    out->synonyms_count = (int32_t)description->synonyms_count;
}

static void tell(struct describe *describe, const struct conf_description *description,
                 struct describe_configs_response_result *result)
{
    struct describe_configs_response_result_config *out = &result->configs[result->configs_count];
    result->configs_count++;
    *out = wire_default_describe_configs_response_result_config;
    out->name = description->name;
    out->value = keep(describe, description->value);
    out->read_only = description->read_only;
    out->config_source = (int8_t)description->source;
    out->config_type = (int8_t)description->type;
    out->documentation =
        describe->body->include_documentation ? description->documentation : SPAN_NULL;
    if (describe->body->include_synonyms)
        tell_synonyms(describe, description, out);
}

/* Room for all settings; false when there is none. */
static bool configs_make(struct describe *describe, uint32_t count,
                         struct describe_configs_response_result *result)
{
    result->configs = arena_array(describe->arena, count, sizeof(*result->configs));
    describe->is_full = result->configs == NULL;
    return !describe->is_full;
}

static int describe_topic(struct describe *describe,
                          const struct describe_configs_request_resource *in,
                          struct describe_configs_response_result *result)
{
    const char *why;
    if (topic_check_name(in->resource_name, &why) != ERR_NONE) {
        result->error_message = span_text(why);
        return ERR_INVALID_TOPIC_EXCEPTION;
    }
    const struct meta_topic *topic = image_topic(&describe->broker->image, in->resource_name);
    if (topic == NULL)
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (!configs_make(describe, TOPIC_CONF_KEYS, result))
        return ERR_NONE;
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        struct conf_description description;
        broker_topic_describe(describe->broker, topic->configs.items, topic->configs.count,
                              (enum topic_conf_key)key, &description);
        if (key_is_wanted(in, description.name))
            tell(describe, &description, result);
    }
    return ERR_NONE;
}

/* What counts for this node, whatever its own file says where the nodes have agreed. */
static void describe_key(const struct broker *broker, enum conf_key key,
                         struct conf_description *ret_description)
{
    const struct meta_configs *cluster = &broker->image.configs;
    conf_describe(broker->conf, key, ret_description);
    if (broker->cluster == NULL)
        return;
    conf_describe_agreed(cluster->items, cluster->count, (int)key, ret_description);
    ret_description->read_only = !conf_is_dynamic(key);
}

/* What is set for all brokers: no default stands behind it there. */
static int describe_all_brokers(struct describe *describe,
                                const struct describe_configs_request_resource *in,
                                struct describe_configs_response_result *result)
{
    if (!configs_make(describe, CONF_AGREED, result))
        return ERR_NONE;
    for (size_t i = 0; i < CONF_AGREED; i++) {
        struct conf_description description;
        describe_key(describe->broker, conf_agreed_keys[i], &description);
        description.synonyms_count = 1;
        if (description.source == CONF_SOURCE_CLUSTER && key_is_wanted(in, description.name))
            tell(describe, &description, result);
    }
    return ERR_NONE;
}

static int describe_broker(struct describe *describe,
                           const struct describe_configs_request_resource *in,
                           struct describe_configs_response_result *result)
{
    const struct conf *conf = describe->broker->conf;
    int64_t id = -1;
    if (in->resource_name.length == 0)
        return describe_all_brokers(describe, in, result);
    if (parse_int64(in->resource_name, &id) != 0 || id != conf->node_id) {
        result->error_message =
            arena_format(describe->arena, "This is broker %d, which knows its own settings only.",
                         conf->node_id);
        return ERR_INVALID_REQUEST;
    }
    if (!configs_make(describe, CONF_KEYS, result))
        return ERR_NONE;
    for (int key = 0; key < CONF_KEYS; key++) {
        struct conf_description description;
        describe_key(describe->broker, (enum conf_key)key, &description);
        if (key_is_wanted(in, description.name))
            tell(describe, &description, result);
    }
    return ERR_NONE;
}

static int describe_one(struct describe *describe,
                        const struct describe_configs_request_resource *in,
                        struct describe_configs_response_result *result)
{
    if (in->configuration_keys_count > DESCRIBE_KEYS_MAX) {
        result->error_message = SPAN("More keys are asked for by name than there are.");
        return ERR_INVALID_REQUEST;
    }
    switch (in->resource_type) {
    case RESOURCE_TOPIC:
        return describe_topic(describe, in, result);
    case RESOURCE_BROKER:
        return describe_broker(describe, in, result);
    default:
        result->error_message = arena_format(
            describe->arena, "Resources of type %d have no settings here.", in->resource_type);
        return ERR_INVALID_REQUEST;
    }
}

void describe_configs_handle(struct broker *broker, struct request *request)
{
    const struct describe_configs_request *body = request->body;
    struct describe describe = {.broker = broker, .arena = &request->arena, .body = body};
    struct describe_configs_response *response = request_response(request);
    struct describe_configs_response_result *results =
        arena_array(&request->arena, (size_t)body->resources_count, sizeof(*results));
    describe.is_full = response == NULL || results == NULL;
    for (int32_t i = 0; i < body->resources_count && !describe.is_full; i++) {
        results[i].resource_type = body->resources[i].resource_type;
        results[i].resource_name = body->resources[i].resource_name;
        results[i].error_code = (int16_t)describe_one(&describe, &body->resources[i], &results[i]);
    }
    if (describe.is_full) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    response->results = results;
    response->results_count = body->resources_count;
    request_reply(request, response);
}
