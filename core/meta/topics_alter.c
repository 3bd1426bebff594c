/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a topic's own settings, and of what is set for all brokers. */
#include "core/base/format.h"
#include "core/conf/value.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"

static const struct conf_key_info *dynamic_key(struct span name)
{
    for (size_t i = 0; i < CONF_AGREED; i++) {
        const struct conf_key_info *info = conf_key_info(conf_agreed_keys[i]);
        if (conf_is_dynamic(conf_agreed_keys[i]) && span_equal(name, span_text(info->name)))
            return info;
    }
    return NULL;
}

/* The new value of a key of all brokers; null for none. */
static int judge_of_all(struct topics_context *context, const struct topic_alteration *alteration,
                        struct span *ret_value, struct span *ret_message)
{
    const struct conf_key_info *info = dynamic_key(alteration->key);
    struct conf_message message;
    struct conf_value value;
    *ret_value = alteration->operation == CONF_SET ? alteration->value : SPAN_NULL;
    if (info == NULL) {
        *ret_message = arena_format(context->arena,
                                    "'%.*s' cannot be set for brokers that run: it is read from "
                                    "their files when they start.",
                                    SPAN_ARGS(alteration->key));
        return ERR_INVALID_REQUEST;
    }
    if (alteration->operation != CONF_SET && alteration->operation != CONF_DELETE) {
        *ret_message = arena_format(context->arena, "'%s' is no list.", info->name);
        return ERR_INVALID_CONFIG;
    }
    if (!span_is_null(*ret_value) &&
        conf_value_read(info, info->name, *ret_value, &value, &message) != 0) {
        *ret_message = arena_copy(context->arena, span_text(message.text));
        return ERR_INVALID_REQUEST;
    }
    return ERR_NONE;
}

static int judge_of_topic(struct topics_context *context, const struct meta_topic *topic,
                          const struct topic_alteration *alteration, struct span *ret_value,
                          struct span *ret_message)
{
    return topic_conf_alter(context->conf, topic->configs.items, topic->configs.count,
                            alteration->operation, alteration->key, alteration->value,
                            context->arena, ret_value, ret_message) == 0
               ? ERR_NONE
               : ERR_INVALID_CONFIG;
}

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
    const int error = topic == NULL
                          ? judge_of_all(context, alteration, &value, ret_message)
                          : judge_of_topic(context, topic, alteration, &value, ret_message);
    if (error != ERR_NONE)
        return error;
    if (value.length > META_CONFIG_VALUE_MAX) {
        *ret_message = SPAN("A configuration value is too long.");
        return ERR_INVALID_CONFIG;
    }
    const struct span before = meta_config(
        topic == NULL ? &context->image->by_operator : &topic->configs, alteration->key);
    if (span_is_null(before) == span_is_null(value) && span_equal(before, value))
        return ERR_NONE;
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = topic == NULL ? META_RESOURCE_BROKER : META_RESOURCE_TOPIC;
    record.body.config.resource_name = topic == NULL ? META_BROKERS_BY_OPERATOR : topic->name;
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
    int error = topics_touch(context, topic == NULL ? SPAN("") : topic->name, ret_message);
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
