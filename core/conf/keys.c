/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/keys.h"

#include "core/base/check.h"
#include "core/base/nearest.h"

static const struct conf_key_info keys[] = {
#define NODE_KEY(id, key_name, key_type, key_value, key_least, key_most, key_allowed, text) \
    [CONF_##id] = {                                                                         \
        .name = key_name,                                                                   \
        .value = key_value,                                                                 \
        .least = key_least,                                                                 \
        .most = key_most,                                                                   \
        .allowed = key_allowed,                                                             \
        .documentation = text,                                                              \
        .type = CONF_TYPE_##key_type,                                                       \
    },
#include "core/conf/keys.def"
};

/* A topic key has the type of its node key; NODE_TYPE_X is that of CONF_X. */
enum {
#define NODE_KEY(id, name, type, value, least, most, allowed, documentation) \
    NODE_TYPE_##id = CONF_TYPE_##type,
#include "core/conf/keys.def"
};

static const struct topic_conf_key_info topic_keys[] = {
#define TOPIC_KEY(id, key_name, key_of_node, text)       \
    [TOPIC_CONF_##id] = {                                \
        .name = key_name,                                \
        .documentation = text,                           \
        .node_key = CONF_##key_of_node,                  \
        .type = (enum conf_type)NODE_TYPE_##key_of_node, \
    },
#define TOPIC_FIXED(id, key_name, key_type, key_value, text) \
    [TOPIC_CONF_##id] = {                                    \
        .name = key_name,                                    \
        .documentation = text,                               \
        .node_key = -1,                                      \
        .type = CONF_TYPE_##key_type,                        \
        .value = key_value,                                  \
    },
#include "core/conf/keys.def"
};

static const struct conf_unit units[] = {
#define UNIT_KEY(of_key, other_key, unit) \
    {.key = CONF_##of_key, .other = CONF_##other_key, .unit_ms = unit},
#include "core/conf/keys.def"
};

struct explained {
    const char *name;
    const char *text;
};

static const struct explained ignored[] = {
#define IGNORED(name, instead) {name, instead},
#include "core/conf/ignored.def"
};

static const struct explained ignored_prefixes[] = {
#define IGNORED_PREFIX(beginning, instead) {beginning, instead},
#include "core/conf/ignored.def"
};

static const struct explained refused[] = {
#define REFUSED(name, why) {name, why},
#include "core/conf/ignored.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct conf_key_info *conf_key_info(enum conf_key key)
{
    CHECK((unsigned)key < CONF_KEYS);
    return &keys[key];
}

const struct topic_conf_key_info *topic_conf_key_info(enum topic_conf_key key)
{
    CHECK((unsigned)key < TOPIC_CONF_KEYS);
    return &topic_keys[key];
}

const struct conf_unit *conf_units(uint32_t *ret_count)
{
    *ret_count = COUNT(units);
    return units;
}

static bool named(const char *name, struct span text)
{
    return span_equal(span_text(name), text);
}

int conf_key_find(struct span name)
{
    for (int key = 0; key < CONF_KEYS; key++) {
        if (named(keys[key].name, name))
            return key;
    }
    return -1;
}

int topic_conf_key_find(struct span name)
{
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        if (named(topic_keys[key].name, name))
            return key;
    }
    return -1;
}

const char *conf_key_ignored(struct span name)
{
    for (size_t i = 0; i < COUNT(ignored); i++) {
        if (named(ignored[i].name, name))
            return ignored[i].text;
    }
    for (size_t i = 0; i < COUNT(ignored_prefixes); i++) {
        const struct span prefix = span_text(ignored_prefixes[i].name);
        if (name.length > prefix.length && memcmp(name.data, prefix.data, prefix.length) == 0)
            return ignored_prefixes[i].text;
    }
    return NULL;
}

const char *conf_key_refused(struct span name)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (named(refused[i].name, name))
            return refused[i].text;
    }
    return NULL;
}

const char *conf_key_nearest(struct span name, bool topic)
{
    struct nearest nearest;
    nearest_start(&nearest, name);
    for (int key = 0; topic && key < TOPIC_CONF_KEYS; key++)
        nearest_consider(&nearest, topic_keys[key].name);
    for (int key = 0; !topic && key < CONF_KEYS; key++)
        nearest_consider(&nearest, keys[key].name);
    for (size_t i = 0; !topic && i < COUNT(ignored); i++)
        nearest_consider(&nearest, ignored[i].name);
    return nearest.name;
}
