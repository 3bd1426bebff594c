/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as DescribeConfigs shows them. */
#include "core/base/format.h"
#include "core/conf/conf.h"
#include "core/conf/topic_conf.h"
#include "core/conf/value.h"

static void add_synonym(struct conf_description *description, struct span name, struct span value,
                        enum conf_source source)
{
    CHECK(description->synonyms_count < CONF_SYNONYMS_MAX);
    description->synonyms[description->synonyms_count].name = name;
    description->synonyms[description->synonyms_count].value = value;
    description->synonyms[description->synonyms_count].source = source;
    description->synonyms_count++;
}

/* Puts a synonym before the others: it counts first. */
static void push_synonym(struct conf_description *description, struct span name, struct span value,
                         enum conf_source source)
{
    CHECK(description->synonyms_count < CONF_SYNONYMS_MAX);
    memmove(description->synonyms + 1, description->synonyms,
            description->synonyms_count * sizeof(description->synonyms[0]));
    const uint32_t count = description->synonyms_count;
    description->synonyms_count = 0;
    add_synonym(description, name, value, source);
    description->synonyms_count = count + 1;
}

/* What the node's file says of a key, and the default behind that. */
static void add_value(const struct conf *conf, enum conf_key key,
                      struct conf_description *description)
{
    const struct conf_key_info *info = conf_key_info(key);
    const enum conf_source source = conf->values[key].source;
    if (conf_has(conf, key))
        add_synonym(description, span_text(info->name), conf_text(conf, key), source);
    if (source != CONF_SOURCE_DEFAULT && info->value != NULL)
        add_synonym(description, span_text(info->name), span_text(info->value),
                    CONF_SOURCE_DEFAULT);
}

/* The key's own value and those of the keys that count when it has none, each in its own unit. */
static void add_node_synonyms(const struct conf *conf, enum conf_key key,
                              struct conf_description *description)
{
    uint32_t count;
    add_value(conf, key, description);
    const struct conf_unit *units = conf_units(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (units[i].key == key)
            add_value(conf, units[i].other, description);
    }
}

void conf_describe(const struct conf *conf, enum conf_key key,
                   struct conf_description *ret_description)
{
    const struct conf_key_info *info = conf_key_info(key);
    *ret_description = (struct conf_description){
        .name = span_text(info->name),
        .value = conf_text(conf, key),
        .documentation = span_text(info->documentation),
        .type = info->type,
        .source = conf->values[key].source,
        .read_only = true,
    };
    add_node_synonyms(conf, key, ret_description);
}

/* What the node says for a topic that has no value of its own, in the unit of the topic's key. */
static void value_of_node(const struct conf *conf, enum conf_key key,
                          struct conf_description *description)
{
    if (conf_has(conf, key) || description->synonyms_count == 0)
        return;
    const size_t length = format_text(description->number, sizeof(description->number), "%lld",
                                      (long long)conf_int_ms(conf, key));
    description->value = span_of(description->number, length);
    description->source = description->synonyms[0].source;
}

void topic_conf_describe(const struct conf *conf, const struct topic_override *overrides,
                         uint32_t overrides_count, enum topic_conf_key key,
                         struct conf_description *ret_description)
{
    const struct topic_conf_key_info *info = topic_conf_key_info(key);
    *ret_description =
        (struct conf_description){.value = span_text(info->value), .source = CONF_SOURCE_DEFAULT};
    if (info->node_key >= 0) {
        conf_describe(conf, (enum conf_key)info->node_key, ret_description);
        value_of_node(conf, (enum conf_key)info->node_key, ret_description);
    }
    ret_description->name = span_text(info->name);
    ret_description->documentation = span_text(info->documentation);
    ret_description->type = info->type;
    ret_description->read_only = false;
    for (uint32_t i = 0; i < overrides_count; i++) {
        if (!span_equal(overrides[i].key, ret_description->name))
            continue;
        ret_description->value = overrides[i].value;
        ret_description->source = CONF_SOURCE_TOPIC;
        push_synonym(ret_description, ret_description->name, overrides[i].value, CONF_SOURCE_TOPIC);
        return;
    }
}

static bool is_agreed(int node_key)
{
    for (size_t i = 0; i < CONF_AGREED; i++) {
        if ((int)conf_agreed_keys[i] == node_key)
            return true;
    }
    return false;
}

void conf_describe_agreed(const struct topic_override *cluster, uint32_t cluster_count,
                          int node_key, struct conf_description *description)
{
    if (!is_agreed(node_key))
        return;
    const struct conf_key_info *info = conf_key_info((enum conf_key)node_key);
    const bool has_own = description->source == CONF_SOURCE_TOPIC;
    description->synonyms_count = has_own;
    for (uint32_t i = 0; i < cluster_count; i++) {
        if (span_equal(cluster[i].key, span_text(info->name)))
            add_synonym(description, cluster[i].key, cluster[i].value, CONF_SOURCE_CLUSTER);
    }
    add_synonym(description, span_text(info->name), span_text(info->value), CONF_SOURCE_DEFAULT);
    description->value = description->synonyms[0].value;
    description->source = description->synonyms[0].source;
}
