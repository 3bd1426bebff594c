/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's settings: values of the keys in core/conf/keys.def, checked one by one and together.
 * Settings of topics, which fall back to these, are in core/conf/topic_conf.h.
 */
#ifndef CORE_CONF_CONF_H
#define CORE_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/base/span.h"
#include "core/conf/keys.h"

/* Where a value comes from; the numbers are those of DescribeConfigs. */
enum conf_source {
    CONF_SOURCE_TOPIC = 1,   /* DYNAMIC_TOPIC_CONFIG: the topic's own */
    CONF_SOURCE_CLUSTER = 3, /* DYNAMIC_DEFAULT_BROKER_CONFIG: agreed on (topic_conf.h) */
    CONF_SOURCE_FILE = 4,    /* STATIC_BROKER_CONFIG: file or command line */
    CONF_SOURCE_DEFAULT = 5, /* DEFAULT_CONFIG */
};

/* The value of one key. */
struct conf_value {
    int64_t integer;  /* BOOLEAN (0, 1), SHORT, INT and LONG */
    double real;      /* DOUBLE */
    struct span text; /* as it was written, without blanks around it; null: not set */
    enum conf_source source;
    uint32_t place; /* of the caller's choice (see conf_set); 0 for defaults */
};

#define CONF_LISTENERS_MAX 16
#define CONF_FOLDERS_MAX   64
#define CONF_VOTERS_MAX    16

/* One listener. Its security protocol is PLAINTEXT: others are refused so far. */
struct conf_listener {
    struct span name;
    struct span host;            /* to listen on; empty: every address of the machine */
    struct span advertised_host; /* what clients, or other nodes, are told; never empty */
    uint16_t port;               /* 0: any free one */
    uint16_t advertised_port;    /* 0: the one that is listened on */
};

/* One of the nodes that seed a cluster's quorum of controllers (KIP-595). */
struct conf_voter {
    int32_t node_id;
    struct span host; /* never empty; without the brackets of an IPv6 address */
    uint16_t port;    /* never 0 */
};

/* Told about each finding: `refused` false is a warning. `place` as given to conf_set, 0 where a
 * default is to blame. `text` says what is wrong and what mends it; borrowed for the call. */
typedef void conf_report(void *context, bool refused, uint32_t place, struct span text);

struct conf {
    struct conf_value values[CONF_KEYS];
    struct arena arena; /* texts */
    conf_report *report;
    void *context;

    /* What conf_check makes of the values. */
    struct span host_name; /* a copy of what it was told */
    int32_t node_id;
    bool is_cluster;                           /* the voters are not this node alone */
    struct conf_voter voters[CONF_VOTERS_MAX]; /* of controller.quorum.voters, in its order */
    uint32_t voters_count;                     /* 0: this node alone */
    struct conf_listener listeners[CONF_LISTENERS_MAX]; /* for clients */
    uint32_t listeners_count;
    struct conf_listener peer_listeners[CONF_LISTENERS_MAX]; /* for other nodes of a cluster */
    uint32_t peer_listeners_count;                           /* 0: no cluster */
    struct span folders[CONF_FOLDERS_MAX];                   /* of log.dirs */
    uint32_t folders_count;
};

/* All keys at their defaults. Texts are counted in `memory`, under MEMORY_STATE; findings go to
 * `report` with `context`. */
void conf_init(struct conf *conf, struct memory *memory, conf_report *report, void *context);

/* Gives all memory back. */
void conf_free(struct conf *conf);

/* Sets one key from text of any origin. A later call for the same key replaces the value. `place`
 * comes back in findings about this value. Returns 0; or -1 when it was refused and reported. Keys
 * that Kafka 4.3 has and that have no effect here are reported as a warning. */
int conf_set(struct conf *conf, struct span name, struct span value, uint32_t place);

/* Checks the keys together, after the last conf_set, and fills node_id, the voters,
 * listeners and folders. Clients are told `host_name` where neither listeners nor
 * advertised.listeners names a host. Returns 0; or -1 when something was refused and reported. */
int conf_check(struct conf *conf, struct span host_name);

/* The values by type; the key's type has to fit. */
static inline bool conf_bool(const struct conf *conf, enum conf_key key)
{
    return conf->values[key].integer != 0;
}

static inline int64_t conf_int(const struct conf *conf, enum conf_key key)
{
    return conf->values[key].integer;
}

static inline double conf_real(const struct conf *conf, enum conf_key key)
{
    return conf->values[key].real;
}

static inline struct span conf_text(const struct conf *conf, enum conf_key key)
{
    return conf->values[key].text;
}

/* The value of a key in milliseconds that may be given in minutes or hours by other keys instead
 * (log.retention.ms, log.roll.ms); -1 for never. The plain value of any other key. */
int64_t conf_int_ms(const struct conf *conf, enum conf_key key);

/* False when the key has no value: neither set nor a default. */
static inline bool conf_has(const struct conf *conf, enum conf_key key)
{
    return conf->values[key].text.data != NULL;
}

#define CONF_SYNONYMS_MAX 5
#define CONF_NUMBER_BYTES 24

/* One key as DescribeConfigs shows it. */
struct conf_description {
    struct span name;
    struct span value; /* null: not set */
    struct span documentation;
    enum conf_type type;
    enum conf_source source;
    bool read_only; /* cannot be altered while the broker runs */
    struct {
        struct span name;
        struct span value;
        enum conf_source source;
    } synonyms[CONF_SYNONYMS_MAX]; /* where the value could come from, the one that counts first */
    uint32_t synonyms_count;
    char number[CONF_NUMBER_BYTES]; /* `value` points here when it was calculated */
};

/* Describes one key of the node. Texts are borrowed from `conf`. */
void conf_describe(const struct conf *conf, enum conf_key key,
                   struct conf_description *ret_description);

#endif
