/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/conf.h"

#include "core/base/format.h"
#include "core/conf/endpoint.h"
#include "core/conf/listeners.h"
#include "core/conf/value.h"
#include "core/conf/voters.h"

/* Texts of all settings together; beyond it conf_set refuses. */
#define CONF_TEXTS_BYTES_MAX (4u << 20)

/* What the name of the host may take beside them. */
#define CONF_HOST_NAME_BYTES_MAX 256

void conf_init(struct conf *conf, struct memory *memory, conf_report *report, void *context)
{
    *conf = (struct conf){.report = report, .context = context};
    arena_init(&conf->arena, memory, MEMORY_STATE, CONF_TEXTS_BYTES_MAX + CONF_HOST_NAME_BYTES_MAX);
    for (int key = 0; key < CONF_KEYS; key++) {
        const struct conf_key_info *info = conf_key_info((enum conf_key)key);
        struct conf_message message;
        conf->values[key].source = CONF_SOURCE_DEFAULT;
        if (info->value != NULL)
            CHECK(conf_value_read(info, info->name, span_text(info->value), &conf->values[key],
                                  &message) == 0);
    }
}

void conf_free(struct conf *conf)
{
    arena_reset(&conf->arena);
}

/* Reports a name that is no key with an effect. */
static int set_other(const struct conf *conf, struct span name, struct span value, uint32_t place)
{
    const char *instead = conf_key_ignored(name);
    if (instead != NULL) {
        conf_finding(conf, false, place, "%.*s has no effect here: %s", QUOTED(name), instead);
        return 0;
    }
    const char *why = conf_key_refused(name);
    if (why != NULL && conf_trim(value).length == 0)
        return 0;
    const int topic_key = topic_conf_key_find(name);
    const int node_key =
        topic_key < 0 ? -1 : topic_conf_key_info((enum topic_conf_key)topic_key)->node_key;
    const char *nearest = conf_key_nearest(name, false);
    if (why != NULL)
        conf_finding(conf, true, place, "%.*s: %s", QUOTED(name), why);
    else if (node_key >= 0)
        conf_finding(conf, true, place, "%.*s is a key of topics; for the node it is %s",
                     QUOTED(name), conf_key_info((enum conf_key)node_key)->name);
    else if (topic_key >= 0)
        conf_finding(conf, true, place, "%.*s is a key of topics, not of the node", QUOTED(name));
    else if (nearest != NULL)
        conf_finding(conf, true, place, "there is no key %.*s; did you mean %s?", QUOTED(name),
                     nearest);
    else
        conf_finding(conf, true, place,
                     "there is no key %.*s; chronik.properties(5) lists those that there are",
                     QUOTED(name));
    return -1;
}

int conf_set(struct conf *conf, struct span name, struct span value, uint32_t place)
{
    const int key = conf_key_find(name);
    if (key < 0)
        return set_other(conf, name, value, place);
    const struct conf_key_info *info = conf_key_info((enum conf_key)key);
    struct conf_message message;
    struct conf_value read;
    if (conf_value_read(info, info->name, value, &read, &message) != 0) {
        conf_finding(conf, true, place, "%s", message.text);
        return -1;
    }
    read.text = arena_copy(&conf->arena, read.text.data == NULL ? SPAN("") : read.text);
    if (read.text.data == NULL) {
        conf_finding(conf, true, place, "%s: all values together are longer than %u bytes",
                     info->name, CONF_TEXTS_BYTES_MAX);
        return -1;
    }
    read.source = CONF_SOURCE_FILE;
    read.place = place;
    conf->values[key] = read;
    return 0;
}

int64_t conf_int_ms(const struct conf *conf, enum conf_key key)
{
    uint32_t count;
    const struct conf_unit *units = conf_units(&count);
    for (uint32_t i = 0; i < count && !conf_has(conf, key); i++) {
        if (units[i].key != key || !conf_has(conf, units[i].other))
            continue;
        const int64_t number = conf_int(conf, units[i].other);
        int64_t result;
        if (number < 0)
            return -1;
        return __builtin_mul_overflow(number, units[i].unit_ms, &result) ? INT64_MAX : result;
    }
    return conf_int(conf, key);
}

static bool is_set(const struct conf *conf, enum conf_key key)
{
    return conf->values[key].source == CONF_SOURCE_FILE;
}

/* node.id, or its older name; returns 0 or -1 as all of these do. */
static int check_node_id(struct conf *conf)
{
    const int64_t node_id = conf_int(conf, CONF_NODE_ID);
    const int64_t broker_id = is_set(conf, CONF_BROKER_ID) ? conf_int(conf, CONF_BROKER_ID) : -1;
    if (broker_id >= 0 && is_set(conf, CONF_NODE_ID) && broker_id != node_id) {
        conf_finding(conf, true, conf->values[CONF_BROKER_ID].place,
                     "broker.id=%lld differs from node.id=%lld; leave broker.id out",
                     (long long)broker_id, (long long)node_id);
        return -1;
    }
    conf->node_id = (int32_t)(broker_id >= 0 ? broker_id : node_id);
    return 0;
}

static int check_folders(struct conf *conf)
{
    const enum conf_key key = conf_has(conf, CONF_LOG_DIRS) ? CONF_LOG_DIRS : CONF_LOG_DIR;
    const char *name = conf_key_info(key)->name;
    const uint32_t place = conf->values[key].place;
    struct span rest = conf_text(conf, key);
    struct span folder;
    conf->folders_count = 0;
    while (conf_list_next(&rest, &folder)) {
        if (folder.length == 0) {
            conf_finding(conf, true, place, "%s: there is nothing between two commas", name);
            return -1;
        }
        if (conf->folders_count == CONF_FOLDERS_MAX) {
            conf_finding(conf, true, place, "%s: more than %d folders", name, CONF_FOLDERS_MAX);
            return -1;
        }
        for (uint32_t i = 0; i < conf->folders_count; i++) {
            if (span_equal(conf->folders[i], folder)) {
                conf_finding(conf, true, place, "%s: %.*s is there twice", name, QUOTED(folder));
                return -1;
            }
        }
        conf->folders[conf->folders_count++] = folder;
    }
    if (conf->folders_count == 0) {
        conf_finding(conf, true, place, "%s: name a folder for the data", name);
        return -1;
    }
    return 0;
}

/* Pairs of limits that shut everything out together. */
static int check_limits(const struct conf *conf)
{
    const int64_t queued = conf_int(conf, CONF_QUEUED_MAX_REQUEST_BYTES);
    int result = 0;
    if (queued > 0 && queued < conf_int(conf, CONF_SOCKET_REQUEST_MAX_BYTES)) {
        conf_finding(conf, true, conf->values[CONF_QUEUED_MAX_REQUEST_BYTES].place,
                     "queued.max.request.bytes=%lld holds no request of "
                     "socket.request.max.bytes=%lld; raise the first or lower the second",
                     (long long)queued, (long long)conf_int(conf, CONF_SOCKET_REQUEST_MAX_BYTES));
        result = -1;
    }
    if (conf_int(conf, CONF_GROUP_MIN_SESSION_TIMEOUT_MS) >
        conf_int(conf, CONF_GROUP_MAX_SESSION_TIMEOUT_MS)) {
        conf_finding(conf, true, conf->values[CONF_GROUP_MIN_SESSION_TIMEOUT_MS].place,
                     "group.min.session.timeout.ms is above group.max.session.timeout.ms: no "
                     "consumer could join a group");
        result = -1;
    }
    if (conf_int(conf, CONF_BROKER_HEARTBEAT_INTERVAL_MS) >=
        conf_int(conf, CONF_BROKER_SESSION_TIMEOUT_MS)) {
        conf_finding(conf, true, conf->values[CONF_BROKER_HEARTBEAT_INTERVAL_MS].place,
                     "broker.heartbeat.interval.ms is not below broker.session.timeout.ms: every "
                     "node would count as dead");
        result = -1;
    }
    static const enum conf_key retentions[] = {CONF_LOG_RETENTION_MS, CONF_LOG_RETENTION_MINUTES,
                                               CONF_LOG_RETENTION_HOURS};
    for (size_t i = 0; i < sizeof(retentions) / sizeof(retentions[0]); i++) {
        if (conf_has(conf, retentions[i]) && conf_int(conf, retentions[i]) == 0) {
            conf_finding(conf, true, conf->values[retentions[i]].place,
                         "%s: 0 would keep nothing; set 1 or more, or -1 to keep everything",
                         conf_key_info(retentions[i])->name);
            result = -1;
        }
    }
    return result;
}

static int check_metrics_listener(const struct conf *conf)
{
    const struct conf_value *value = &conf->values[CONF_CHRONIK_METRICS_LISTENER];
    struct endpoint endpoint;
    const char *wrong =
        value->text.length == 0
            ? NULL
            : endpoint_read_address(value->text, "is not of the form host:port", &endpoint);
    if (wrong == NULL)
        return 0;
    conf_finding(conf, true, value->place, "chronik.metrics.listener: %.*s %s", QUOTED(value->text),
                 wrong);
    return -1;
}

/* Offsets have as many replicas as Kafka gives them, and no more than there are nodes that keep the
 * metadata: these are all there when a cluster begins. */
static void set_cluster_defaults(struct conf *conf)
{
    struct conf_value *replicas = &conf->values[CONF_OFFSETS_TOPIC_REPLICATION_FACTOR];
    if (!conf->is_cluster || replicas->source != CONF_SOURCE_DEFAULT || conf->voters_count < 2)
        return;
    replicas->integer = conf->voters_count == 2 ? 2 : 3;
    replicas->text = conf->voters_count == 2 ? SPAN("2") : SPAN("3");
}

/* What a file of a cluster asks for, and one node cannot give. */
static void warn_of_replicas(const struct conf *conf)
{
    static const struct {
        enum conf_key key;
        const char *consequence;
    } replicas[] = {
        {CONF_DEFAULT_REPLICATION_FACTOR, "no topic can be created without a number of its own"},
        {CONF_OFFSETS_TOPIC_REPLICATION_FACTOR, "consumer groups cannot be used"},
        {CONF_MIN_INSYNC_REPLICAS, "producers with acks=all are refused"},
    };
    for (size_t i = 0; i < sizeof(replicas) / sizeof(replicas[0]) && !conf->is_cluster; i++) {
        const enum conf_key key = replicas[i].key;
        if (conf_int(conf, key) > 1)
            conf_finding(conf, false, conf->values[key].place,
                         "%s=%lld: there is one node only, so that %s; set 1",
                         conf_key_info(key)->name, (long long)conf_int(conf, key),
                         replicas[i].consequence);
    }
}

int conf_check(struct conf *conf, struct span host_name)
{
    conf->host_name = arena_copy(&conf->arena, host_name);
    int result = check_node_id(conf);
    result |= result == 0 ? conf_check_voters(conf) : 0;
    result |= check_folders(conf);
    result |= check_limits(conf);
    result |= conf_check_listeners(conf);
    result |= check_metrics_listener(conf);
    set_cluster_defaults(conf);
    warn_of_replicas(conf);
    return result;
}
