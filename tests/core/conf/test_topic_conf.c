/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/topic_conf.h"

#include "tests/core/conf/settings.h"
#include "tests/support/runner.h"

static struct settings settings;
static struct arena arena;

static void set_up(void)
{
    settings_read(&settings, "log.retention.hours=2\nlog.segment.bytes=4096\n"
                             "log.cleanup.policy=compact,delete\nwrite.caching.default=true");
    ck_assert_int_eq(settings.result, 0);
    arena_init(&arena, &settings.memory, MEMORY_REQUEST, 4096);
}

static void tear_down(void)
{
    arena_reset(&arena);
    settings_free(&settings);
}

START_TEST(falls_back_to_the_node)
{
    struct topic_conf conf;
    topic_conf_resolve(&settings.conf, NULL, 0, &conf);
    ck_assert_int_eq(conf.retention_ms, 7200000);
    ck_assert_int_eq(conf.retention_bytes, -1);
    ck_assert_int_eq(conf.segment_ms, 604800000);
    ck_assert_int_eq(conf.file_delete_delay_ms, 60000);
    ck_assert_int_eq(conf.flush_messages, INT64_MAX);
    ck_assert_int_eq(conf.flush_ms, INT64_MAX);
    ck_assert_int_eq(conf.timestamp_before_max_ms, INT64_MAX);
    ck_assert_int_eq(conf.timestamp_after_max_ms, 3600000);
    ck_assert_uint_eq(conf.segment_bytes, 4096);
    ck_assert_uint_eq(conf.segment_index_bytes, 10485760);
    ck_assert_uint_eq(conf.index_interval_bytes, 4096);
    ck_assert_uint_eq(conf.message_bytes_max, 1048588);
    ck_assert_uint_eq(conf.min_insync_replicas, 1);
    ck_assert(!conf.log_append_time);
    ck_assert(conf.cleanup_delete && conf.cleanup_compact);
    ck_assert(conf.write_caching);
}
END_TEST

START_TEST(its_own_settings_count_first)
{
    const struct topic_override overrides[] = {
        {SPAN("retention.ms"), SPAN("-1")},
        {SPAN("segment.ms"), SPAN("5")},
        {SPAN("cleanup.policy"), SPAN("compact")},
        {SPAN("message.timestamp.type"), SPAN("LogAppendTime")},
        {SPAN("write.caching"), SPAN("false")},
        {SPAN("max.message.bytes"), SPAN("77")},
    };
    struct topic_conf conf;
    topic_conf_resolve(&settings.conf, overrides, 6, &conf);
    ck_assert_int_eq(conf.retention_ms, -1);
    ck_assert_int_eq(conf.segment_ms, 5);
    ck_assert(!conf.cleanup_delete && conf.cleanup_compact);
    ck_assert(conf.log_append_time);
    ck_assert(!conf.write_caching);
    ck_assert_uint_eq(conf.message_bytes_max, 77);
    ck_assert_uint_eq(conf.segment_bytes, 4096);
}
END_TEST

START_TEST(settings_of_another_version_do_not_count)
{
    const struct topic_override overrides[] = {
        {SPAN("retention.ms"), SPAN("for ever")},
        {SPAN("future.key"), SPAN("1")},
        {SPAN("segment.bytes"), SPAN("-5")},
    };
    struct topic_conf conf;
    topic_conf_resolve(&settings.conf, overrides, 3, &conf);
    ck_assert_int_eq(conf.retention_ms, 7200000);
    ck_assert_uint_eq(conf.segment_bytes, 4096);
}
END_TEST

/* A setting, and the sentence that refuses it; NULL when it is accepted. */
static const struct {
    const char *key;
    const char *value;
    const char *message;
} checks[] = {
    {"retention.ms", "0", NULL},
    {"retention.ms", " 60000 ", NULL},
    {"retention.ms", "-2", "retention.ms: '-2' is out of range, it has to be at least -1"},
    {"retention.ms", "", "retention.ms: '' is not a whole number"},
    {"retention.ms", NULL, "retention.ms has no value; leave it out to have the default."},
    {"cleanup.policy", "delete,compact", NULL},
    {"cleanup.policy", "", NULL},
    {"cleanup.policy", "shred", "cleanup.policy: 'shred' is not known, allowed is delete, compact"},
    {"write.caching", "True", NULL},
    {"compression.type", "producer", NULL},
    {"compression.type", "zstd",
     "compression.type: 'zstd' is not possible, only 'producer' is. Batches keep the compression "
     "that their producer chose."},
    {"remote.storage.enable", "FALSE", NULL},
    {"remote.storage.enable", "true",
     "remote.storage.enable: 'true' is not possible, only 'false' is. There is no tiered storage."},
    {"leader.replication.throttled.replicas", "", NULL},
    {"retention.m", "1", "Topics have no key retention.m; did you mean retention.ms?"},
    {"log.retention.hours", "1", "Topics have no key log.retention.hours."},
    {"", "1", "Topics have no key ."},
};

START_TEST(a_setting_is_accepted_or_refused_with_a_sentence)
{
    struct span message = SPAN_NULL;
    const int result =
        topic_conf_check(span_text(checks[_i].key), span_text(checks[_i].value), &arena, &message);
    ck_assert_int_eq(result, checks[_i].message == NULL ? 0 : -1);
    ck_assert_mem_eq(message.data == NULL ? (const uint8_t *)"" : message.data,
                     checks[_i].message == NULL ? "" : checks[_i].message, message.length);
    ck_assert_uint_eq(message.length, checks[_i].message == NULL ? 0 : strlen(checks[_i].message));
}
END_TEST

/* The topic has cleanup.policy=compact and old.key=1 of its own. */
static const struct {
    int8_t operation;
    const char *key;
    const char *value;
    const char *result;  /* NULL: none of its own any more */
    const char *message; /* the refusal */
} alterations[] = {
    {CONF_SET, "retention.ms", "5", "5", NULL},
    {CONF_SET, "retention.ms", "x", NULL, "retention.ms: 'x' is not a whole number"},
    {CONF_SET, "retention.ms", NULL, NULL,
     "retention.ms has no value; leave it out to have the default."},
    {CONF_DELETE, "retention.ms", NULL, NULL, NULL},
    {CONF_DELETE, "old.key", NULL, NULL, NULL},
    {CONF_DELETE, "no.such.key", NULL, NULL, "Topics have no key no.such.key."},
    {CONF_APPEND, "cleanup.policy", "delete", "compact,delete", NULL},
    {CONF_APPEND, "cleanup.policy", "compact, delete", "compact,delete", NULL},
    {CONF_APPEND, "cleanup.policy", "shred", NULL,
     "cleanup.policy: 'shred' is not known, allowed is delete, compact"},
    {CONF_APPEND, "cleanup.policy", NULL, "compact", NULL},
    {CONF_SUBTRACT, "cleanup.policy", "compact", "", NULL},
    {CONF_SUBTRACT, "cleanup.policy", "delete", "compact", NULL},
    {CONF_APPEND, "leader.replication.throttled.replicas", "", "", NULL},
    {CONF_APPEND, "leader.replication.throttled.replicas", "0:1", NULL,
     "leader.replication.throttled.replicas: '0:1' is not possible, only '' is. All are throttled "
     "alike, by leader.replication.throttled.rate."},
    {CONF_APPEND, "retention.ms", "5", NULL, "retention.ms is not a list; set it as a whole."},
    {4, "retention.ms", "5", NULL, "retention.ms: there is no operation 4."},
    {-1, "retention.ms", "5", NULL, "retention.ms: there is no operation -1."},
};

START_TEST(alters_its_own_settings)
{
    const struct topic_override overrides[] = {
        {SPAN("cleanup.policy"), SPAN("compact")},
        {SPAN("old.key"), SPAN("1")},
    };
    struct span value = SPAN("untouched");
    struct span message = SPAN_NULL;
    const int result = topic_conf_alter(&settings.conf, overrides, 2, alterations[_i].operation,
                                        span_text(alterations[_i].key),
                                        span_text(alterations[_i].value), &arena, &value, &message);
    if (alterations[_i].message != NULL) {
        ck_assert_int_eq(result, -1);
        ck_assert(span_equal(message, span_text(alterations[_i].message)));
        ck_assert(span_equal(value, SPAN("untouched")));
        return;
    }
    ck_assert_int_eq(result, 0);
    ck_assert_int_eq(span_is_null(value), alterations[_i].result == NULL);
    ck_assert(span_equal(value, span_text(alterations[_i].result)));
}
END_TEST

START_TEST(lists_start_from_what_counts)
{
    struct span value;
    struct span message;
    ck_assert_int_eq(topic_conf_alter(&settings.conf, NULL, 0, CONF_SUBTRACT,
                                      SPAN("cleanup.policy"), SPAN("compact"), &arena, &value,
                                      &message),
                     0);
    ck_assert(span_equal(value, SPAN("delete")));
}
END_TEST

START_TEST(a_full_arena_refuses)
{
    struct span value = SPAN("untouched");
    struct span message = SPAN("untouched");
    arena_take(&arena, 4096);
    ck_assert_int_eq(topic_conf_alter(&settings.conf, NULL, 0, CONF_APPEND, SPAN("cleanup.policy"),
                                      SPAN("compact"), &arena, &value, &message),
                     -1);
    ck_assert(span_is_null(message));
    ck_assert(span_equal(value, SPAN("untouched")));
}
END_TEST

START_TEST(describes_what_counts_and_why)
{
    const struct topic_override overrides[] = {{SPAN("segment.bytes"), SPAN("8192")}};
    struct conf_description description;

    topic_conf_describe(&settings.conf, overrides, 1, TOPIC_CONF_SEGMENT_BYTES, &description);
    ck_assert(span_equal(description.name, SPAN("segment.bytes")));
    ck_assert(span_equal(description.value, SPAN("8192")));
    ck_assert_int_eq(description.source, CONF_SOURCE_TOPIC);
    ck_assert_int_eq(description.type, CONF_TYPE_INT);
    ck_assert(!description.read_only);
    ck_assert_uint_eq(description.synonyms_count, 3);
    ck_assert(span_equal(description.synonyms[0].name, SPAN("segment.bytes")));
    ck_assert(span_equal(description.synonyms[1].name, SPAN("log.segment.bytes")));
    ck_assert(span_equal(description.synonyms[1].value, SPAN("4096")));
    ck_assert_int_eq(description.synonyms[1].source, CONF_SOURCE_FILE);
    ck_assert(span_equal(description.synonyms[2].value, SPAN("1073741824")));
    ck_assert_int_eq(description.synonyms[2].source, CONF_SOURCE_DEFAULT);

    topic_conf_describe(&settings.conf, overrides, 1, TOPIC_CONF_RETENTION_MS, &description);
    ck_assert(span_equal(description.value, SPAN("7200000")));
    ck_assert_int_eq(description.source, CONF_SOURCE_FILE);
    ck_assert_uint_eq(description.synonyms_count, 2);
    ck_assert(span_equal(description.synonyms[0].name, SPAN("log.retention.hours")));
    ck_assert(span_equal(description.synonyms[0].value, SPAN("2")));
    ck_assert(span_equal(description.synonyms[1].value, SPAN("168")));

    topic_conf_describe(&settings.conf, overrides, 1, TOPIC_CONF_FLUSH_MS, &description);
    ck_assert(span_equal(description.value, SPAN("9223372036854775807")));
    ck_assert_int_eq(description.source, CONF_SOURCE_DEFAULT);

    topic_conf_describe(&settings.conf, overrides, 1, TOPIC_CONF_COMPRESSION_TYPE, &description);
    ck_assert(span_equal(description.value, SPAN("producer")));
    ck_assert_int_eq(description.source, CONF_SOURCE_DEFAULT);
    ck_assert_uint_eq(description.synonyms_count, 0);
}
END_TEST

/* No node's own file says what all have to judge alike. */
START_TEST(describes_what_nodes_agree_on)
{
    const struct topic_override own[] = {{SPAN("write.caching"), SPAN("true")}};
    const struct topic_override cluster[] = {{SPAN("write.caching.default"), SPAN("false")}};
    struct conf_description description;

    topic_conf_describe(&settings.conf, own, 1, TOPIC_CONF_WRITE_CACHING, &description);
    conf_describe_agreed(cluster, 1, topic_conf_key_info(TOPIC_CONF_WRITE_CACHING)->node_key,
                         &description);
    ck_assert(span_equal(description.value, SPAN("true")));
    ck_assert_int_eq(description.source, CONF_SOURCE_TOPIC);
    ck_assert_uint_eq(description.synonyms_count, 3);
    ck_assert(span_equal(description.synonyms[1].value, SPAN("false")));
    ck_assert_int_eq(description.synonyms[1].source, CONF_SOURCE_CLUSTER);
    ck_assert_int_eq(description.synonyms[2].source, CONF_SOURCE_DEFAULT);

    topic_conf_describe(&settings.conf, NULL, 0, TOPIC_CONF_WRITE_CACHING, &description);
    conf_describe_agreed(NULL, 0, topic_conf_key_info(TOPIC_CONF_WRITE_CACHING)->node_key,
                         &description);
    ck_assert(span_equal(description.value, SPAN("false")));
    ck_assert_int_eq(description.source, CONF_SOURCE_DEFAULT);

    topic_conf_describe(&settings.conf, NULL, 0, TOPIC_CONF_RETENTION_MS, &description);
    conf_describe_agreed(cluster, 1, topic_conf_key_info(TOPIC_CONF_RETENTION_MS)->node_key,
                         &description);
    ck_assert(span_equal(description.value, SPAN("7200000")));
    ck_assert_int_eq(description.source, CONF_SOURCE_FILE);
}
END_TEST

START_TEST(every_key_of_a_topic_has_a_value_and_a_type)
{
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        struct conf_description description;
        struct span message;
        topic_conf_describe(&settings.conf, NULL, 0, (enum topic_conf_key)key, &description);
        ck_assert(!span_is_null(description.value));
        ck_assert_int_ge(description.type, CONF_TYPE_BOOLEAN);
        ck_assert_int_eq(topic_conf_check(description.name, description.value, &arena, &message),
                         0);
    }
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

SUITE(topic_conf)
{
    TCase *tcase = tcase_create("topic_conf");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, falls_back_to_the_node);
    tcase_add_test(tcase, its_own_settings_count_first);
    tcase_add_test(tcase, settings_of_another_version_do_not_count);
    tcase_add_loop_test(tcase, a_setting_is_accepted_or_refused_with_a_sentence, 0, COUNT(checks));
    tcase_add_loop_test(tcase, alters_its_own_settings, 0, COUNT(alterations));
    tcase_add_test(tcase, lists_start_from_what_counts);
    tcase_add_test(tcase, a_full_arena_refuses);
    tcase_add_test(tcase, describes_what_counts_and_why);
    tcase_add_test(tcase, describes_what_nodes_agree_on);
    tcase_add_test(tcase, every_key_of_a_topic_has_a_value_and_a_type);
    suite_add_tcase(suite, tcase);
}
