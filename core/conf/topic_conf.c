/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/topic_conf.h"

#include "core/base/format.h"
#include "core/conf/value.h"

/* Reads a topic's own value. Returns 0, or -1 with what is wrong in *message. */
static int read_override(enum topic_conf_key key, struct span text, struct conf_value *ret_value,
                         struct conf_message *message)
{
    const struct topic_conf_key_info *info = topic_conf_key_info(key);
    if (info->node_key >= 0)
        return conf_value_read(conf_key_info((enum conf_key)info->node_key), info->name, text,
                               ret_value, message);
    const struct span value = conf_trim(text);
    if (!conf_same(value, span_text(info->value))) {
        conf_message(message, "%s: '%.*s' is not possible, only '%s' is. %s", info->name,
                     QUOTED(value), info->value, info->documentation);
        return -1;
    }
    *ret_value = (struct conf_value){.text = value};
    return 0;
}

static const struct topic_override *find_override(const struct topic_override *overrides,
                                                  uint32_t count, struct span key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (span_equal(overrides[i].key, key))
            return &overrides[i];
    }
    return NULL;
}

/* Everything that counts for one topic, by key. */
struct resolved {
    int64_t integers[TOPIC_CONF_KEYS];
    struct span texts[TOPIC_CONF_KEYS];
};

static void resolve_all(const struct conf *conf, const struct topic_override *overrides,
                        uint32_t overrides_count, struct resolved *ret_resolved)
{
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        const int node_key = topic_conf_key_info((enum topic_conf_key)key)->node_key;
        if (node_key < 0)
            continue;
        ret_resolved->integers[key] = conf_int_ms(conf, (enum conf_key)node_key);
        ret_resolved->texts[key] = conf_text(conf, (enum conf_key)node_key);
    }
    for (uint32_t i = 0; i < overrides_count; i++) {
        const int key = topic_conf_key_find(overrides[i].key);
        struct conf_value value;
        struct conf_message message;
        if (key < 0 ||
            read_override((enum topic_conf_key)key, overrides[i].value, &value, &message) != 0)
            continue;
        ret_resolved->integers[key] = value.integer;
        ret_resolved->texts[key] = value.text;
    }
}

static bool has_word(struct span list, struct span word)
{
    struct span item;
    while (conf_list_next(&list, &item)) {
        if (span_equal(item, word))
            return true;
    }
    return false;
}

void topic_conf_resolve(const struct conf *conf, const struct topic_override *overrides,
                        uint32_t overrides_count, struct topic_conf *ret_conf)
{
    struct resolved all = {{0}, {{NULL, 0}}};
    resolve_all(conf, overrides, overrides_count, &all);
    const int64_t *integers = all.integers;
    *ret_conf = (struct topic_conf){
        .retention_ms = integers[TOPIC_CONF_RETENTION_MS],
        .retention_bytes = integers[TOPIC_CONF_RETENTION_BYTES],
        .segment_ms = integers[TOPIC_CONF_SEGMENT_MS],
        .file_delete_delay_ms = integers[TOPIC_CONF_FILE_DELETE_DELAY_MS],
        .flush_messages = integers[TOPIC_CONF_FLUSH_MESSAGES],
        .flush_ms = integers[TOPIC_CONF_FLUSH_MS],
        .timestamp_before_max_ms = integers[TOPIC_CONF_MESSAGE_TIMESTAMP_BEFORE_MAX_MS],
        .timestamp_after_max_ms = integers[TOPIC_CONF_MESSAGE_TIMESTAMP_AFTER_MAX_MS],
        .segment_bytes = (uint32_t)integers[TOPIC_CONF_SEGMENT_BYTES],
        .segment_index_bytes = (uint32_t)integers[TOPIC_CONF_SEGMENT_INDEX_BYTES],
        .index_interval_bytes = (uint32_t)integers[TOPIC_CONF_INDEX_INTERVAL_BYTES],
        .message_bytes_max = (uint32_t)integers[TOPIC_CONF_MAX_MESSAGE_BYTES],
        .min_insync_replicas = (uint32_t)integers[TOPIC_CONF_MIN_INSYNC_REPLICAS],
        .log_append_time =
            span_equal(all.texts[TOPIC_CONF_MESSAGE_TIMESTAMP_TYPE], SPAN("LogAppendTime")),
        .cleanup_delete = has_word(all.texts[TOPIC_CONF_CLEANUP_POLICY], SPAN("delete")),
        .cleanup_compact = has_word(all.texts[TOPIC_CONF_CLEANUP_POLICY], SPAN("compact")),
        .write_caching = integers[TOPIC_CONF_WRITE_CACHING] != 0,
    };
}

const enum conf_key conf_agreed_keys[CONF_AGREED] = {
    CONF_BROKER_SESSION_TIMEOUT_MS,
    CONF_MIN_INSYNC_REPLICAS,
    CONF_UNCLEAN_LEADER_ELECTION_ENABLE,
    CONF_WRITE_CACHING_DEFAULT,
};

bool conf_is_dynamic(enum conf_key key)
{
    return key == CONF_MIN_INSYNC_REPLICAS || key == CONF_UNCLEAN_LEADER_ELECTION_ENABLE ||
           key == CONF_WRITE_CACHING_DEFAULT;
}

/* A value that cannot be read counts as if it were not there. */
static bool read_agreed(const struct conf_key_info *info, const struct topic_override *setting,
                        int64_t *ret_value)
{
    struct conf_message message;
    struct conf_value value = {0};
    if (setting == NULL || conf_value_read(info, info->name, setting->value, &value, &message) != 0)
        return false;
    *ret_value = value.integer;
    return true;
}

int64_t conf_agreed(enum conf_key key, const struct topic_override *cluster, uint32_t cluster_count)
{
    const struct conf_key_info *info = conf_key_info(key);
    const struct topic_override preset = {.value = span_text(info->value)};
    int64_t value = 0;
    if (!read_agreed(info, find_override(cluster, cluster_count, span_text(info->name)), &value))
        read_agreed(info, &preset, &value);
    return value;
}

static int64_t agree(enum topic_conf_key key, const struct topic_override *overrides,
                     uint32_t overrides_count, const struct topic_override *cluster,
                     uint32_t cluster_count)
{
    const struct topic_conf_key_info *info = topic_conf_key_info(key);
    const enum conf_key node_key = (enum conf_key)info->node_key;
    int64_t value;
    return read_agreed(conf_key_info(node_key),
                       find_override(overrides, overrides_count, span_text(info->name)), &value)
               ? value
               : conf_agreed(node_key, cluster, cluster_count);
}

void topic_conf_agree(const struct topic_override *overrides, uint32_t overrides_count,
                      const struct topic_override *cluster, uint32_t cluster_count,
                      struct topic_conf_agreed *ret_agreed)
{
    *ret_agreed = (struct topic_conf_agreed){
        .min_insync_replicas = (uint32_t)agree(TOPIC_CONF_MIN_INSYNC_REPLICAS, overrides,
                                               overrides_count, cluster, cluster_count),
        .unclean_leader_election = agree(TOPIC_CONF_UNCLEAN_LEADER_ELECTION_ENABLE, overrides,
                                         overrides_count, cluster, cluster_count) != 0,
        .write_caching = agree(TOPIC_CONF_WRITE_CACHING, overrides, overrides_count, cluster,
                               cluster_count) != 0,
    };
}

static void say_unknown(struct span name, struct conf_message *message)
{
    const char *nearest = conf_key_nearest(name, true);
    if (nearest != NULL)
        conf_message(message, "Topics have no key %.*s; did you mean %s?", QUOTED(name), nearest);
    else
        conf_message(message, "Topics have no key %.*s.", QUOTED(name));
}

static int check(struct span name, struct span value, struct conf_message *message)
{
    const int key = topic_conf_key_find(name);
    struct conf_value read;
    if (key < 0) {
        say_unknown(name, message);
        return -1;
    }
    if (span_is_null(value)) {
        conf_message(message, "%.*s has no value; leave it out to have the default.", QUOTED(name));
        return -1;
    }
    return read_override((enum topic_conf_key)key, value, &read, message);
}

static int refuse(struct arena *arena, const struct conf_message *message, struct span *ret_message)
{
    *ret_message = arena_copy(arena, span_text(message->text));
    return -1;
}

int topic_conf_check(struct span key, struct span value, struct arena *arena,
                     struct span *ret_message)
{
    struct conf_message message;
    return check(key, value, &message) == 0 ? 0 : refuse(arena, &message, ret_message);
}

/* Appends the items of `list` that are not in `without` to `out`, with commas between. */
static void join(uint8_t *out, size_t *length, struct span list, struct span without)
{
    struct span item;
    while (conf_list_next(&list, &item)) {
        if (item.length == 0 || has_word(without, item) || has_word(span_of(out, *length), item))
            continue;
        if (*length > 0)
            out[(*length)++] = ',';
        memcpy(out + *length, item.data, item.length);
        *length += item.length;
    }
}

/* The list that counts for the topic, with `value` added to it or taken out of it. Null when the
 * arena is full. */
static struct span alter_list(const struct conf *conf, const struct topic_override *override,
                              enum topic_conf_key key, bool append, struct span value,
                              struct arena *arena)
{
    const struct topic_conf_key_info *info = topic_conf_key_info(key);
    struct span old = span_text(info->value);
    if (override != NULL)
        old = override->value;
    else if (info->node_key >= 0)
        old = conf_text(conf, (enum conf_key)info->node_key);
    uint8_t *out = arena_take(arena, old.length + value.length + 2);
    size_t length = 0;
    if (out == NULL)
        return SPAN_NULL;
    join(out, &length, old, append ? SPAN_NULL : value);
    if (append)
        join(out, &length, value, SPAN_NULL);
    return span_of(out, length);
}

int topic_conf_alter(const struct conf *conf, const struct topic_override *overrides,
                     uint32_t overrides_count, int8_t operation, struct span key, struct span value,
                     struct arena *arena, struct span *ret_value, struct span *ret_message)
{
    const int known = topic_conf_key_find(key);
    const struct topic_override *override = find_override(overrides, overrides_count, key);
    struct conf_message message;
    struct span result = value;
    if (known < 0 && !(operation == CONF_DELETE && override != NULL)) {
        say_unknown(key, &message);
        return refuse(arena, &message, ret_message);
    }
    switch (operation) {
    case CONF_SET:
        break;
    case CONF_DELETE:
        *ret_value = SPAN_NULL;
        return 0;
    case CONF_APPEND:
    case CONF_SUBTRACT:
        if (topic_conf_key_info((enum topic_conf_key)known)->type != CONF_TYPE_LIST) {
            conf_message(&message, "%.*s is not a list; set it as a whole.", QUOTED(key));
            return refuse(arena, &message, ret_message);
        }
        if (value.length > CONF_VALUE_BYTES_MAX) {
            conf_message(&message, "%.*s: the value is longer than %d bytes", QUOTED(key),
                         CONF_VALUE_BYTES_MAX);
            return refuse(arena, &message, ret_message);
        }
        result = alter_list(conf, override, (enum topic_conf_key)known, operation == CONF_APPEND,
                            value, arena);
        break;
    default:
        conf_message(&message, "%.*s: there is no operation %d.", QUOTED(key), operation);
        return refuse(arena, &message, ret_message);
    }
    if (check(key, result, &message) != 0)
        return refuse(arena, &message, ret_message);
    *ret_value = result;
    return 0;
}
