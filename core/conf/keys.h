/* SPDX-License-Identifier: Apache-2.0 */
/* The table of configuration keys (core/conf/keys.def) in C: an id each, and its row. */
#ifndef CORE_CONF_KEYS_H
#define CORE_CONF_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/span.h"

/* Types of values; the numbers are those of DescribeConfigs. */
enum conf_type {
    CONF_TYPE_BOOLEAN = 1,
    CONF_TYPE_STRING = 2,
    CONF_TYPE_INT = 3,
    CONF_TYPE_SHORT = 4,
    CONF_TYPE_LONG = 5,
    CONF_TYPE_DOUBLE = 6,
    CONF_TYPE_LIST = 7,
};

/* Keys of the node: CONF_NODE_ID is "node.id". */
enum conf_key {
#define NODE_KEY(id, name, type, value, least, most, allowed, documentation) CONF_##id,
#include "core/conf/keys.def"
    CONF_KEYS
};

/* Keys of topics: TOPIC_CONF_RETENTION_MS is "retention.ms". */
enum topic_conf_key {
#define TOPIC_KEY(id, name, node_key, documentation)      TOPIC_CONF_##id,
#define TOPIC_FIXED(id, name, type, value, documentation) TOPIC_CONF_##id,
#include "core/conf/keys.def"
    TOPIC_CONF_KEYS
};

/* What is known of a key. */
struct conf_key_info {
    const char *name;
    const char *value; /* the default; NULL: none */
    int64_t least;     /* of INT, SHORT, LONG and DOUBLE */
    int64_t most;
    const char *allowed; /* of STRING and LIST: words with '|' between; NULL: any text */
    const char *documentation;
    enum conf_type type;
};

struct topic_conf_key_info {
    const char *name;
    const char *documentation;
    int node_key; /* the key of the node that it falls back to and whose range it has; or -1 */
    enum conf_type type;
    const char *value; /* when node_key is -1: the only value that is accepted */
};

const struct conf_key_info *conf_key_info(enum conf_key key);
const struct topic_conf_key_info *topic_conf_key_info(enum topic_conf_key key);

/* The key of this name; -1 when there is none. */
int conf_key_find(struct span name);
int topic_conf_key_find(struct span name);

/* A key in another unit, which counts when the key in milliseconds is not set. */
struct conf_unit {
    enum conf_key key;
    enum conf_key other;
    int64_t unit_ms;
};

/* All of them, those of one key in the order in which they count. */
const struct conf_unit *conf_units(uint32_t *ret_count);

/* What happens instead, for a key that Kafka 4.3 (or 3.9) has and that has no effect here; NULL for
 * any other name. */
const char *conf_key_ignored(struct span name);

/* Why a key of Kafka's cannot be passed over; NULL for any other name. */
const char *conf_key_refused(struct span name);

/* The known name nearest to a misspelt one: of topic keys when `topic`, else of the node's. NULL
 * when none is near. */
const char *conf_key_nearest(struct span name, bool topic);

#endif
