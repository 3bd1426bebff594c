/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of a topic: its own, which the metadata keeps as text, or else the node's; checked and
 * altered for CreateTopics and IncrementalAlterConfigs, described for DescribeConfigs.
 */
#ifndef CORE_CONF_TOPIC_CONF_H
#define CORE_CONF_TOPIC_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/span.h"
#include "core/conf/conf.h"

/* One setting of a topic's own. */
struct topic_override {
    struct span key;
    struct span value;
};

/* What counts for a topic: the settings that have an effect, ready for use. */
struct topic_conf {
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: no limit */
    int64_t segment_ms;
    int64_t file_delete_delay_ms;
    int64_t flush_messages;
    int64_t flush_ms;
    int64_t timestamp_before_max_ms;
    int64_t timestamp_after_max_ms;
    uint32_t segment_bytes;
    uint32_t segment_index_bytes;
    uint32_t index_interval_bytes;
    uint32_t message_bytes_max;
    uint32_t min_insync_replicas;
    bool log_append_time;
    bool cleanup_delete; /* retention applies, unless cleanup_compact does too */
    bool cleanup_compact;
    bool write_caching;
};

/* The effective settings of a topic with these of its own. An override that is not valid (another
 * version wrote it) counts as if it were not there. */
void topic_conf_resolve(const struct conf *conf, const struct topic_override *overrides,
                        uint32_t overrides_count, struct topic_conf *ret_conf);

/* What counts for a topic where every node has to come to the same result: no node's own settings
 * do. */
struct topic_conf_agreed {
    uint32_t min_insync_replicas;
    bool unclean_leader_election;
    bool write_caching;
};

/* The node keys behind them, and others that nodes have to judge alike by. */
#define CONF_AGREED 4
extern const enum conf_key conf_agreed_keys[CONF_AGREED];

/* True for those that can be set for all brokers while they run. */
bool conf_is_dynamic(enum conf_key key);

/* What counts of such a key: the cluster's setting, or else the default. */
int64_t conf_agreed(enum conf_key key, const struct topic_override *cluster,
                    uint32_t cluster_count);

/* The topic's own settings, or else the cluster's (by the node keys' names), or else the defaults.
 */
void topic_conf_agree(const struct topic_override *overrides, uint32_t overrides_count,
                      const struct topic_override *cluster, uint32_t cluster_count,
                      struct topic_conf_agreed *ret_agreed);

/* Checks one setting before it becomes part of the metadata. Returns 0; or -1 with a sentence for
 * the client in *ret_message, taken from `arena` (null when that is full), for INVALID_CONFIG. */
int topic_conf_check(struct span key, struct span value, struct arena *arena,
                     struct span *ret_message);

/* The operations of IncrementalAlterConfigs, with its numbers. */
enum conf_operation { CONF_SET = 0, CONF_DELETE = 1, CONF_APPEND = 2, CONF_SUBTRACT = 3 };

/*
 * What `operation` makes of one setting of a topic whose own settings are `overrides`: the new
 * value in *ret_value, taken from `arena` or borrowed from `value`; null when the topic shall have
 * none of its own. APPEND and SUBTRACT are for lists and start from the value that counts. Returns
 * 0; or -1 with a sentence in *ret_message, for INVALID_CONFIG.
 */
int topic_conf_alter(const struct conf *conf, const struct topic_override *overrides,
                     uint32_t overrides_count, int8_t operation, struct span key, struct span value,
                     struct arena *arena, struct span *ret_value, struct span *ret_message);

/* Describes one key of a topic with these settings of its own. Texts are borrowed. */
void topic_conf_describe(const struct conf *conf, const struct topic_override *overrides,
                         uint32_t overrides_count, enum topic_conf_key key,
                         struct conf_description *ret_description);

/* Has the description of a key, or of a topic's that falls back on it, say what counts on every
 * node alike, where it said what the node's own file does: the cluster's settings, by the node
 * keys' names, or else the defaults. No-op for keys, and for -1, on which nobody agrees. */
void conf_describe_agreed(const struct topic_override *cluster, uint32_t cluster_count,
                          int node_key, struct conf_description *description);

#endif
