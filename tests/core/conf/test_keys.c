/* SPDX-License-Identifier: Apache-2.0 */
#include "core/conf/keys.h"

#include "core/base/memory.h"
#include "core/conf/conf.h"
#include "tests/support/runner.h"

START_TEST(every_name_is_found_and_is_there_once)
{
    for (int key = 0; key < CONF_KEYS; key++) {
        const char *name = conf_key_info((enum conf_key)key)->name;
        ck_assert_int_eq(conf_key_find(span_text(name)), key);
        ck_assert_msg(conf_key_ignored(span_text(name)) == NULL, "%s is ignored too", name);
        ck_assert_msg(conf_key_refused(span_text(name)) == NULL, "%s is refused too", name);
    }
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        const char *name = topic_conf_key_info((enum topic_conf_key)key)->name;
        ck_assert_int_eq(topic_conf_key_find(span_text(name)), key);
    }
}
END_TEST

START_TEST(every_key_is_documented)
{
    for (int key = 0; key < CONF_KEYS; key++) {
        const struct conf_key_info *info = conf_key_info((enum conf_key)key);
        const size_t length = strlen(info->documentation);
        ck_assert_uint_gt(length, 10);
        ck_assert_int_eq(info->documentation[length - 1], '.');
    }
    for (int key = 0; key < TOPIC_CONF_KEYS; key++) {
        const char *text = topic_conf_key_info((enum topic_conf_key)key)->documentation;
        ck_assert_uint_gt(strlen(text), 10);
        ck_assert_int_eq(text[strlen(text) - 1], '.');
    }
}
END_TEST

START_TEST(units_count_for_keys_without_a_default)
{
    uint32_t count;
    const struct conf_unit *units = conf_units(&count);
    ck_assert_uint_eq(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_ptr_null(conf_key_info(units[i].key)->value);
        ck_assert_int_gt(units[i].unit_ms, 1);
    }
}
END_TEST

static const struct {
    const char *name;
    bool topic;
    const char *nearest;
} misspelt[] = {
    {"num.partition", false, "num.partitions"},
    {"listener", false, "listeners"},
    {"log.retention.hour", false, "log.retention.hours"},
    {"num.network.thread", false, "num.network.threads"},
    {"Node.Id", false, "node.id"},
    {"retention.mss", true, "retention.ms"},
    {"retention.mss", false, NULL},
    {"colour.of.the.sky", false, NULL},
    {"colour.of.the.sky", true, NULL},
    {"x", false, NULL},
    {"", false, NULL},
    {"a.name.that.is.so.long.that.nothing.of.ours.or.of.anybody.else.could.be.meant.by.it.at.all",
     false, NULL},
};

START_TEST(nearest_name_is_proposed)
{
    const char *nearest = conf_key_nearest(span_text(misspelt[_i].name), misspelt[_i].topic);
    ck_assert_pstr_eq(nearest, misspelt[_i].nearest);
}
END_TEST

START_TEST(keys_of_kafka_without_effect_say_what_happens_instead)
{
    ck_assert_str_eq(conf_key_ignored(SPAN("zookeeper.set.acl")),
                     conf_key_ignored(SPAN("zookeeper.connect")));
    ck_assert_ptr_nonnull(conf_key_ignored(SPAN("listener.name.internal.ssl.keystore.type")));
    ck_assert_ptr_null(conf_key_ignored(SPAN("listener.name.")));
    ck_assert_ptr_null(conf_key_ignored(SPAN("zookeeper")));
    ck_assert_ptr_nonnull(conf_key_refused(SPAN("authorizer.class.name")));
}
END_TEST

SUITE(keys)
{
    TCase *tcase = tcase_create("keys");
    tcase_add_test(tcase, every_name_is_found_and_is_there_once);
    tcase_add_test(tcase, every_key_is_documented);
    tcase_add_test(tcase, units_count_for_keys_without_a_default);
    tcase_add_loop_test(tcase, nearest_name_is_proposed, 0, sizeof(misspelt) / sizeof(misspelt[0]));
    tcase_add_test(tcase, keys_of_kafka_without_effect_say_what_happens_instead);
    suite_add_tcase(suite, tcase);
}
