/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/snapshot.h"

#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"

static const struct snapshot_id first = {.offset = 1, .epoch = 0};

static struct cluster cluster;
static struct image restored;
static uint8_t *block;
static uint32_t length;
static uint32_t capacity;

static void set_up(void)
{
    cluster_start(&cluster, 1, 2, "");
    image_init(&restored, &cluster.settings.memory, 5);
}

static void save(void)
{
    memory_give(&cluster.settings.memory, MEMORY_STATE, block, capacity);
    block = snapshot_save(&cluster.image, SPAN_NULL, 1700000000000, &length, &capacity);
}

static void tear_down(void)
{
    memory_give(&cluster.settings.memory, MEMORY_STATE, block, capacity);
    block = NULL;
    image_free(&restored);
    cluster_end(&cluster);
}

static const struct {
    const char *name;
    bool is_one;
    struct snapshot_id id;
} names[] = {
    {"00000000000000000042-0000000003.checkpoint", true, {42, 3}},
    {"00000000000000000000-0000000000.checkpoint", true, {0, 0}},
    {"09223372036854775807-2147483647.checkpoint", true, {INT64_MAX, INT32_MAX}},
    {"09223372036854775808-2147483647.checkpoint", false, {0, 0}},
    {"00000000000000000042-2147483648.checkpoint", false, {0, 0}},
    {"00000000000000000042-0000000003.checkpoint.part", false, {0, 0}},
    {"0000000000000000042-0000000003.checkpoint", false, {0, 0}},
    {"-0000000000000000042-0000000003.checkpoint", false, {0, 0}},
    {"0000000000000000004x-0000000003.checkpoint", false, {0, 0}},
    {"00000000000000000042_0000000003.checkpoint", false, {0, 0}},
    {"00000000000000000042.log", false, {0, 0}},
    {"00000000000000000042", false, {0, 0}},
    {"", false, {0, 0}},
};

START_TEST(names_are_read_and_written)
{
    struct snapshot_id id;
    char name[SNAPSHOT_NAME_BYTES];
    ck_assert_msg(snapshot_parse_name(span_text(names[_i].name), &id) == names[_i].is_one, "%s",
                  names[_i].name);
    if (!names[_i].is_one)
        return;
    ck_assert_int_eq(id.offset, names[_i].id.offset);
    ck_assert_int_eq(id.epoch, names[_i].id.epoch);
    snapshot_name(id, name);
    ck_assert_str_eq(name, names[_i].name);
}
END_TEST

static void configure(struct span brokers, struct span value)
{
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = META_RESOURCE_BROKER;
    record.body.config.resource_name = brokers;
    record.body.config.name = SPAN("min.insync.replicas");
    record.body.config.value = value;
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
    cluster_commit(&cluster);
}

START_TEST(an_image_comes_back)
{
    uint64_t position;
    const struct snapshot_id id = {.offset = 77, .epoch = 4};
    cluster.epoch = 4;
    configure(META_BROKERS_BY_OPERATOR, SPAN("3"));
    configure(META_BROKERS_BY_FILE, SPAN("2"));
    ck_assert_int_eq(cluster_create(&cluster, "a.b", 3, 2), ERR_NONE);
    ck_assert_int_eq(cluster_create(&cluster, "c", 5000, 1), ERR_NONE);
    save();
    ck_assert(snapshot_is_whole(span_of(block, length), id));
    ck_assert_int_eq(snapshot_restore(span_of(block, length), id, &restored, &position), ERR_NONE);
    ck_assert_uint_eq(image_digest(&restored), image_digest(&cluster.image));
    ck_assert_int_eq(restored.end_offset, 77);
    ck_assert_int_eq(restored.epoch, 4);
    ck_assert(span_equal(meta_config(&restored.configs, SPAN("min.insync.replicas")), SPAN("3")));
    ck_assert(span_equal(meta_config(&restored.by_file, SPAN("min.insync.replicas")), SPAN("2")));
}
END_TEST

START_TEST(an_empty_image_comes_back)
{
    struct image empty;
    uint64_t position;
    image_init(&empty, &cluster.settings.memory, 9);
    block = snapshot_save(&empty, SPAN_NULL, 0, &length, &capacity);
    const struct snapshot_id none = {.epoch = -1};
    ck_assert(snapshot_is_whole(span_of(block, length), none));
    ck_assert_int_eq(snapshot_restore(span_of(block, length), none, &restored, &position),
                     ERR_NONE);
    ck_assert_uint_eq(image_digest(&restored), image_digest(&empty));
    image_free(&empty);
}
END_TEST

START_TEST(a_torn_snapshot_is_not_whole)
{
    ck_assert_int_eq(cluster_create(&cluster, "t", 3, 2), ERR_NONE);
    save();
    for (uint32_t cut = 0; cut < length; cut++)
        ck_assert_msg(!snapshot_is_whole(span_of(block, cut), first), "cut at %u", cut);
}
END_TEST

START_TEST(a_rotten_snapshot_is_not_whole)
{
    ck_assert_int_eq(cluster_create(&cluster, "t", 3, 2), ERR_NONE);
    save();
    for (uint32_t at = 0; at < length; at++) {
        block[at] ^= 0x10;
        ck_assert_msg(!snapshot_is_whole(span_of(block, length), first), "rot at %u", at);
        block[at] ^= 0x10;
    }
    ck_assert(snapshot_is_whole(span_of(block, length), first));
}
END_TEST

START_TEST(what_cannot_be_applied_names_its_place)
{
    uint64_t position = 0;
    struct topic_record name = {.name = SPAN("t")};
    save();
    /* A topic that is there already. */
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    record.body.topic = name;
    record.body.topic.topic_id.bytes[0] = 1;
    ck_assert_int_eq(image_apply(&restored, &record), ERR_NONE);
    ck_assert_int_eq(cluster_create(&cluster, "t", 3, 2), ERR_NONE);
    save();
    ck_assert_int_eq(
        snapshot_restore(span_of(block, length), (struct snapshot_id){9, 0}, &restored, &position),
        ERR_INVALID_RECORD);
    ck_assert_uint_gt(position, 0);
    ck_assert_uint_lt(position, length);
}
END_TEST

SUITE(snapshot)
{
    TCase *tcase = tcase_create("snapshot");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, names_are_read_and_written, 0, sizeof(names) / sizeof(names[0]));
    tcase_add_test(tcase, an_image_comes_back);
    tcase_add_test(tcase, an_empty_image_comes_back);
    tcase_add_test(tcase, a_torn_snapshot_is_not_whole);
    tcase_add_test(tcase, a_rotten_snapshot_is_not_whole);
    tcase_add_test(tcase, what_cannot_be_applied_names_its_place);
    suite_add_tcase(suite, tcase);
}
