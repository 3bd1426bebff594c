/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a topic's own settings. */
#include "core/base/format.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"

/* Writes what one alteration makes of its key. */
static int alter_one(struct topics_context *context, const struct meta_topic *topic,
                     const struct topic_alteration *alteration, struct span *ret_message)
{
    if (alteration->operation < CONF_SET || alteration->operation > CONF_SUBTRACT) {
        *ret_message =
            arena_format(context->arena, "There is no operation %d.", alteration->operation);
        return ERR_INVALID_REQUEST;
    }
    if (alteration->operation != CONF_DELETE && span_is_null(alteration->value)) {
        *ret_message = arena_format(context->arena, "'%.*s' cannot be altered by a null value.",
                                    SPAN_ARGS(alteration->key));
        return ERR_INVALID_REQUEST;
    }
    struct span value;
    if (topic_conf_alter(context->conf, topic->configs.items, topic->configs.count,
                         alteration->operation, alteration->key, alteration->value, context->arena,
                         &value, ret_message) != 0)
        return ERR_INVALID_CONFIG;
    if (value.length > META_CONFIG_VALUE_MAX) {
        *ret_message = SPAN("A configuration value is too long.");
        return ERR_INVALID_CONFIG;
    }
    const struct span before = image_topic_config(topic, alteration->key);
    if (span_is_null(before) == span_is_null(value) && span_equal(before, value))
        return ERR_NONE;
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = META_RESOURCE_TOPIC;
    record.body.config.resource_name = topic->name;
    record.body.config.name = alteration->key;
    record.body.config.value = value;
    return meta_write(context->writer, &record);
}

int topics_alter(struct topics_context *context, const struct meta_topic *topic,
                 const struct topic_alteration *alterations, int32_t alterations_count,
                 struct span *ret_message)
{
    const uint32_t mark = context->writer->count;
    *ret_message = SPAN_NULL;
    int error = topics_touch(context, topic->name, ret_message);
    if (alterations_count > META_CONFIGS_MAX) {
        *ret_message = SPAN("There are more configuration keys than a topic can have.");
        return ERR_INVALID_REQUEST;
    }
    for (int32_t i = 0; i < alterations_count && error == ERR_NONE; i++) {
        for (int32_t k = 0; k < i && error == ERR_NONE; k++) {
            if (span_equal(alterations[k].key, alterations[i].key)) {
                *ret_message = arena_format(context->arena, "'%.*s' is altered twice.",
                                            SPAN_ARGS(alterations[i].key));
                error = ERR_INVALID_REQUEST;
            }
        }
        if (error == ERR_NONE)
            error = alter_one(context, topic, &alterations[i], ret_message);
    }
    if (error != ERR_NONE)
        meta_writer_cut(context->writer, mark);
    return error;
}
