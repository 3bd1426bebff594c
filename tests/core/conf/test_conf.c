/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/conf.h"

#include <stdio.h>

#include "tests/core/conf/settings.h"
#include "tests/support/runner.h"

START_TEST(defaults_alone_are_a_node)
{
    struct settings settings;
    settings_read(&settings, "");
    const struct conf *conf = &settings.conf;
    ck_assert_int_eq(settings.result, 0);
    ck_assert_str_eq(settings.findings, "");
    ck_assert_int_eq(conf->node_id, 1);
    ck_assert_uint_eq(conf->folders_count, 1);
    ck_assert(span_equal(conf->folders[0], SPAN("chronik-data")));
    ck_assert_uint_eq(conf->listeners_count, 1);
    ck_assert(span_equal(conf->listeners[0].host, SPAN("127.0.0.1")));
    ck_assert_uint_eq(conf->listeners[0].port, 9092);
    ck_assert(conf_bool(conf, CONF_AUTO_CREATE_TOPICS_ENABLE));
    ck_assert_int_eq(conf_int(conf, CONF_LOG_SEGMENT_BYTES), 1073741824);
    ck_assert_double_eq(conf_real(conf, CONF_LOG_CLEANER_MIN_CLEANABLE_RATIO), 0.5);
    ck_assert(!conf_has(conf, CONF_BROKER_RACK));
    settings_free(&settings);
}
END_TEST

/* One line each, and what is said about it; "" for nothing. */
static const struct {
    const char *line;
    const char *finding;
} values[] = {
    {"num.partitions=3", ""},
    {"num.partitions= 3\t", ""},
    {"num.partitions=0", "num.partitions: '0' is out of range, it has to be at least 1"},
    {"num.partitions=2147483648",
     "num.partitions: '2147483648' is out of range, it has to be at most 2147483647"},
    {"num.partitions=99999999999999999999",
     "num.partitions: '99999999999999999999' is not a whole number"},
    {"num.partitions=three", "num.partitions: 'three' is not a whole number"},
    {"num.partitions=", "num.partitions: '' is not a whole number"},
    {"log.retention.bytes=-2",
     "log.retention.bytes: '-2' is out of range, it has to be at least -1"},
    {"offsets.topic.replication.factor=32768",
     "offsets.topic.replication.factor: '32768' is out of range, allowed is 1 to 32767"},
    {"delete.topic.enable=FALSE", ""},
    {"delete.topic.enable=yes", "delete.topic.enable: 'yes' is neither true nor false"},
    {"log.message.timestamp.type=LogAppendTime", ""},
    {"log.message.timestamp.type=logappendtime",
     "log.message.timestamp.type: 'logappendtime' is not known, allowed is CreateTime, "
     "LogAppendTime"},
    {"log.message.timestamp.type=",
     "log.message.timestamp.type: '' is not known, allowed is CreateTime, LogAppendTime"},
    {"log.cleanup.policy=compact, delete", ""},
    {"log.cleanup.policy=", ""},
    {"log.cleanup.policy=compact,zip",
     "log.cleanup.policy: 'zip' is not known, allowed is delete, compact"},
    {"log.cleaner.min.cleanable.ratio=.25", ""},
    {"log.cleaner.min.cleanable.ratio=1", ""},
    {"log.cleaner.min.cleanable.ratio=1.01",
     "log.cleaner.min.cleanable.ratio: '1.01' is out of range, allowed is 0 to 1"},
    {"log.cleaner.min.cleanable.ratio=.",
     "log.cleaner.min.cleanable.ratio: '.' is not a decimal number such as 0.5"},
    {"log.cleaner.min.cleanable.ratio=0.1.2",
     "log.cleaner.min.cleanable.ratio: '0.1.2' is not a decimal number such as 0.5"},
    {"log.cleaner.min.cleanable.ratio=0.1234567890123456",
     "log.cleaner.min.cleanable.ratio: '0.1234567890123456' is not a decimal number such as 0.5"},
    {"broker.rack=", ""},
    {"broker.rack=\x01\x7f", ""},
    {"node.id=7\x01", "node.id: '7?' is not a whole number"},
    {"num.partition=3", "there is no key num.partition; did you mean num.partitions?"},
    {"colour=blue", "there is no key colour; chronik.properties(5) lists those that there are"},
    {"retention.ms=1", "retention.ms is a key of topics; for the node it is log.retention.ms"},
    {"segment.jitter.ms=1", "segment.jitter.ms is a key of topics, not of the node"},
    {"authorizer.class.name=", ""},
    {"authorizer.class.name=org.example.Guard",
     "authorizer.class.name: access rules are not served yet, and everybody would be let in; leave "
     "it out where that is what you want"},
};

START_TEST(a_value_is_taken_or_refused_with_its_mend)
{
    struct settings settings;
    char findings[1024] = "";
    if (values[_i].finding[0] != '\0')
        snprintf(findings, sizeof(findings), "refused 1: %s\n", values[_i].finding);
    settings_read(&settings, values[_i].line);
    ck_assert_str_eq(settings.findings, findings);
    ck_assert_int_eq(settings.result, findings[0] == '\0' ? 0 : -1);
    settings_free(&settings);
}
END_TEST

START_TEST(a_key_without_effect_is_warned_of)
{
    struct settings settings;
    settings_read(&settings, "num.io.threads=8\nssl.keystore.location=/etc/k.jks");
    ck_assert_int_eq(settings.result, 0);
    ck_assert_str_eq(settings.findings,
                     "warned 1: num.io.threads has no effect here: one loop does the work, with a "
                     "few threads for what waits for a disk\n"
                     "warned 2: ssl.keystore.location has no effect here: no listener uses TLS\n");
    settings_free(&settings);
}
END_TEST

START_TEST(the_last_value_counts)
{
    struct settings settings;
    settings_read(&settings, "num.partitions=3\nnum.partitions=5");
    ck_assert_int_eq(conf_int(&settings.conf, CONF_NUM_PARTITIONS), 5);
    ck_assert_uint_eq(settings.conf.values[CONF_NUM_PARTITIONS].place, 2);
    settings_free(&settings);
}
END_TEST

START_TEST(texts_have_a_limit)
{
    struct settings settings;
    static char value[16385];
    settings_read(&settings, "");
    memset(value, 'x', sizeof(value));
    ck_assert_int_eq(
        conf_set(&settings.conf, SPAN("broker.rack"), span_of(value, sizeof(value)), 9), -1);
    ck_assert_str_eq(settings.findings,
                     "refused 9: broker.rack: the value is longer than 16384 bytes\n");
    settings.findings[0] = '\0';
    int fits = 0;
    while (conf_set(&settings.conf, SPAN("broker.rack"), span_of(value, sizeof(value) - 1), 1) == 0)
        fits++;
    ck_assert_int_eq(fits, 256);
    ck_assert_str_eq(settings.findings,
                     "refused 1: broker.rack: all values together are longer than 4194304 bytes\n");
    settings_free(&settings);
}
END_TEST

/* Lines together, and everything that is said about them. */
static const struct {
    const char *lines;
    const char *findings;
} sets[] = {
    {"broker.id=5", ""},
    {"node.id=5\nbroker.id=5", ""},
    {"node.id=5\nbroker.id=-1", ""},
    {"node.id=5\nbroker.id=6",
     "refused 2: broker.id=6 differs from node.id=5; leave broker.id out\n"},
    {"process.roles=controller,broker", ""},
    {"process.roles=broker", "refused 1: process.roles: a node of its own has both roles; set "
                             "broker,controller or leave it "
                             "out\n"},
    {"process.roles=controller",
     "refused 1: process.roles: a controller that is no broker is not served yet; set "
     "broker,controller or leave it out\n"},
    {"process.roles=", "refused 1: process.roles: a node of its own has both roles; set "
                       "broker,controller or leave it "
                       "out\n"},
    {"node.id=2\ncontroller.quorum.voters=2@localhost:9093", ""},
    {"controller.quorum.voters=", ""},
    {"controller.quorum.bootstrap.servers=localhost:9093", ""},
    {"controller.quorum.bootstrap.servers=a:9093,b:9093",
     "refused 1: controller.quorum.bootstrap.servers: more than one node; name the controllers in "
     "controller.quorum.voters, id@host:port\n"},
    {"log.dirs=/a,/b, /c", ""},
    {"log.dirs=/a,,/c", "refused 1: log.dirs: there is nothing between two commas\n"},
    {"log.dirs=/a,/a", "refused 1: log.dirs: /a is there twice\n"},
    {"log.dirs=", "refused 1: log.dirs: name a folder for the data\n"},
    {"socket.request.max.bytes=1000\nqueued.max.request.bytes=1000", ""},
    {"queued.max.request.bytes=-1", ""},
    {"socket.request.max.bytes=1000\nqueued.max.request.bytes=999",
     "refused 2: queued.max.request.bytes=999 holds no request of socket.request.max.bytes=1000; "
     "raise the first or lower the second\n"},
    {"group.min.session.timeout.ms=10\ngroup.max.session.timeout.ms=9",
     "refused 1: group.min.session.timeout.ms is above group.max.session.timeout.ms: no consumer "
     "could join a group\n"},
    {"broker.session.timeout.ms=500",
     "refused 0: broker.heartbeat.interval.ms is not below broker.session.timeout.ms: every node "
     "would count as dead\n"},
    {"broker.session.timeout.ms=500\nbroker.heartbeat.interval.ms=499", ""},
    {"log.retention.minutes=0",
     "refused 1: log.retention.minutes: 0 would keep nothing; set 1 or more, or -1 to keep "
     "everything\n"},
    {"default.replication.factor=3\noffsets.topic.replication.factor=3\nmin.insync.replicas=2",
     "warned 1: default.replication.factor=3: there is one node only, so that no topic can be "
     "created without a number of its own; set 1\n"
     "warned 2: offsets.topic.replication.factor=3: there is one node only, so that consumer "
     "groups cannot be used; set 1\n"
     "warned 3: min.insync.replicas=2: there is one node only, so that producers with acks=all are "
     "refused; set 1\n"},
};

START_TEST(settings_are_checked_together)
{
    struct settings settings;
    settings_read(&settings, sets[_i].lines);
    ck_assert_str_eq(settings.findings, sets[_i].findings);
    ck_assert_int_eq(settings.result, strncmp(sets[_i].findings, "refused", 7) == 0 ? -1 : 0);
    settings_free(&settings);
}
END_TEST

START_TEST(folders_and_node_id_are_filled)
{
    struct settings settings;
    settings_read(&settings, "broker.id=6\nlog.dir=/z\nlog.dirs=/a, /b");
    ck_assert_int_eq(settings.conf.node_id, 6);
    ck_assert_uint_eq(settings.conf.folders_count, 2);
    ck_assert(span_equal(settings.conf.folders[0], SPAN("/a")));
    ck_assert(span_equal(settings.conf.folders[1], SPAN("/b")));
    settings_free(&settings);
}
END_TEST

static const struct {
    const char *lines;
    enum conf_key key;
    int64_t ms;
} durations[] = {
    {"", CONF_LOG_RETENTION_MS, 604800000},
    {"log.retention.hours=1", CONF_LOG_RETENTION_MS, 3600000},
    {"log.retention.hours=1\nlog.retention.minutes=2", CONF_LOG_RETENTION_MS, 120000},
    {"log.retention.minutes=2\nlog.retention.ms=3", CONF_LOG_RETENTION_MS, 3},
    {"log.retention.hours=-1", CONF_LOG_RETENTION_MS, -1},
    {"log.retention.hours=2147483647", CONF_LOG_RETENTION_MS, 7730941129200000},
    {"log.roll.hours=2", CONF_LOG_ROLL_MS, 7200000},
    {"num.partitions=4", CONF_NUM_PARTITIONS, 4},
};

START_TEST(durations_may_be_given_in_other_units)
{
    struct settings settings;
    settings_read(&settings, durations[_i].lines);
    ck_assert_int_eq(settings.result, 0);
    ck_assert_int_eq(conf_int_ms(&settings.conf, durations[_i].key), durations[_i].ms);
    settings_free(&settings);
}
END_TEST

START_TEST(describes_a_key_of_the_node)
{
    struct settings settings;
    struct conf_description description;
    settings_read(&settings, "log.retention.minutes=5\nnum.partitions=2");
    conf_describe(&settings.conf, CONF_NUM_PARTITIONS, &description);
    ck_assert(span_equal(description.name, SPAN("num.partitions")));
    ck_assert(span_equal(description.value, SPAN("2")));
    ck_assert_int_eq(description.source, CONF_SOURCE_FILE);
    ck_assert_int_eq(description.type, CONF_TYPE_INT);
    ck_assert(description.read_only);
    ck_assert_uint_eq(description.synonyms_count, 2);
    ck_assert(span_equal(description.synonyms[0].value, SPAN("2")));
    ck_assert_int_eq(description.synonyms[0].source, CONF_SOURCE_FILE);
    ck_assert(span_equal(description.synonyms[1].name, SPAN("num.partitions")));
    ck_assert(span_equal(description.synonyms[1].value, SPAN("1")));
    ck_assert_int_eq(description.synonyms[1].source, CONF_SOURCE_DEFAULT);
    conf_describe(&settings.conf, CONF_LOG_RETENTION_MS, &description);
    ck_assert(span_is_null(description.value));
    ck_assert_int_eq(description.source, CONF_SOURCE_DEFAULT);
    ck_assert_uint_eq(description.synonyms_count, 2);
    ck_assert(span_equal(description.synonyms[0].name, SPAN("log.retention.minutes")));
    ck_assert(span_equal(description.synonyms[0].value, SPAN("5")));
    ck_assert_int_eq(description.synonyms[0].source, CONF_SOURCE_FILE);
    ck_assert(span_equal(description.synonyms[1].name, SPAN("log.retention.hours")));
    ck_assert_int_eq(description.synonyms[1].source, CONF_SOURCE_DEFAULT);
    settings_free(&settings);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

SUITE(conf)
{
    TCase *tcase = tcase_create("conf");
    tcase_add_test(tcase, defaults_alone_are_a_node);
    tcase_add_loop_test(tcase, a_value_is_taken_or_refused_with_its_mend, 0, COUNT(values));
    tcase_add_test(tcase, a_key_without_effect_is_warned_of);
    tcase_add_test(tcase, the_last_value_counts);
    tcase_add_test(tcase, texts_have_a_limit);
    tcase_add_loop_test(tcase, settings_are_checked_together, 0, COUNT(sets));
    tcase_add_test(tcase, folders_and_node_id_are_filled);
    tcase_add_loop_test(tcase, durations_may_be_given_in_other_units, 0, COUNT(durations));
    tcase_add_test(tcase, describes_a_key_of_the_node);
    suite_add_tcase(suite, tcase);
}
