/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of records, written out by hand from Kafka's schemas. */
#include "core/coord/record.h"

#include <string.h>

#include "core/coord/java_hash.h"
#include "core/coord/shard.h"
#include "core/records/builder.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/coord/fake_log.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct arena arena;
static struct effects effects;
static struct io io;
static struct group_settings settings = {.max_size = INT32_MAX};
static struct shard shard;
static struct fake_log fake;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_STATE, 1 << 20);
    effects_init(&effects, &memory);
    io_init(&io, &memory, &effects);
    rng_init(&io.rng, 7);
    fake_log_init(&fake);
    shard_init(&shard, &io, &settings, NULL, &fake.log);
}

static void tear_down(void)
{
    shard_drop(&shard, ERR_NOT_COORDINATOR);
    fake_log_free(&fake);
    arena_reset(&arena);
    effects_free(&effects);
    io_free(&io);
    ck_assert_uint_eq(heap.blocks, 0);
}

#define BYTES(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }

static const struct {
    const char *name;
    struct offset_value value;
    struct span bytes;
} values[] = {
    {"a plain commit has version 3",
     {.offset = 258, .leader_epoch = 5, .metadata = BYTES("hi"), .commit_ms = 7, .expire_ms = -1},
     BYTES("\0\3"
           "\0\0\0\0\0\0\1\2"
           "\0\0\0\5"
           "\0\2hi"
           "\0\0\0\0\0\0\0\7")},
    {"one with its own expiry has version 1, which has no leader epoch",
     {.offset = 258, .leader_epoch = -1, .metadata = BYTES("hi"), .commit_ms = 7, .expire_ms = 9},
     BYTES("\0\1"
           "\0\0\0\0\0\0\1\2"
           "\0\2hi"
           "\0\0\0\0\0\0\0\7"
           "\0\0\0\0\0\0\0\11")},
    {"one by topic id has version 4, which is flexible",
     {.offset = 258,
      .leader_epoch = -1,
      .metadata = BYTES("hi"),
      .commit_ms = 7,
      .expire_ms = -1,
      .topic_id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}},
     BYTES("\0\4"
           "\0\0\0\0\0\0\1\2"
           "\377\377\377\377"
           "\3hi"
           "\0\0\0\0\0\0\0\7"
           "\1\0\20\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20")},
};

START_TEST(offset_value)
{
    struct coord_entry entry;
    const struct coord_record record =
        record_of_offset(&arena, SPAN("g"), SPAN("topic"), 3, &values[_i].value);
    ck_assert(span_equal(record.key, SPAN("\0\1\0\1g\0\5topic\0\0\0\3")));
    ck_assert_msg(span_equal(record.value, values[_i].bytes), "%s", values[_i].name);
    ck_assert_int_eq(record_read(record.key, record.value, &arena, &entry), ERR_NONE);
    ck_assert_int_eq(entry.kind, COORD_RECORD_OFFSET);
    ck_assert(!entry.deleted && span_equal(entry.group_id, SPAN("g")));
    ck_assert(span_equal(entry.topic, SPAN("topic")) && entry.partition == 3);
    ck_assert_int_eq(entry.offset.offset, values[_i].value.offset);
    ck_assert_int_eq(entry.offset.leader_epoch, values[_i].value.leader_epoch);
    ck_assert_int_eq(entry.offset.commit_ms, values[_i].value.commit_ms);
    ck_assert_int_eq(entry.offset.expire_ms, values[_i].value.expire_ms);
    ck_assert(span_equal(entry.offset.metadata, values[_i].value.metadata));
    ck_assert(uuid_equal(entry.offset.topic_id, values[_i].value.topic_id));
}
END_TEST

START_TEST(tombstones)
{
    struct coord_entry entry;
    const struct coord_record offset = record_of_offset(&arena, SPAN("g"), SPAN("t"), 0, NULL);
    ck_assert(span_is_null(offset.value));
    ck_assert_int_eq(record_read(offset.key, offset.value, &arena, &entry), ERR_NONE);
    ck_assert(entry.kind == COORD_RECORD_OFFSET && entry.deleted);
    const struct coord_record group = record_of_no_group(&arena, SPAN("g"));
    ck_assert(span_equal(group.key, SPAN("\0\2\0\1g")) && span_is_null(group.value));
    ck_assert_int_eq(record_read(group.key, group.value, &arena, &entry), ERR_NONE);
    ck_assert(entry.kind == COORD_RECORD_GROUP && entry.deleted);
}
END_TEST

static const char group_bytes[] =
    "\0\3"
    "\0\10consumer"
    "\0\0\0\11"
    "\0\5range"
    "\0\2m1"
    "\0\0\0\0\0\0\0\52"
    "\0\0\0\2"
    "\0\2m1\377\377\0\1c\0\2/h\0\0\0\2\0\0\0\1\0\0\0\2\12\13\0\0\0\1\14"
    "\0\2m2\0\1i\0\0\0\2/h\0\0\0\4\0\0\0\3\0\0\0\0\0\0\0\0";

static struct group_join restored_join(const char *id, const char *instance, const char *client,
                                       int32_t session_ms, const struct group_protocol *protocol)
{
    return (struct group_join){.member_id = span_text(id),
                               .instance_id = span_text(instance),
                               .client_id = span_text(client),
                               .client_host = SPAN("/h"),
                               .protocol_type = SPAN("consumer"),
                               .protocols = protocol,
                               .protocols_count = 1,
                               .session_timeout_ms = session_ms,
                               .rebalance_timeout_ms = session_ms + 1};
}

START_TEST(group_with_members)
{
    const struct group_protocol first = {SPAN("range"), SPAN("\12\13")};
    const struct group_protocol second = {SPAN("range"), SPAN("")};
    const struct group_join one = restored_join("m1", NULL, "c", 1, &first);
    const struct group_join two = restored_join("m2", "i", "", 3, &second);
    struct group *group = shard_open(&shard, SPAN("g"));
    group_restore(group, 9, SPAN("consumer"), SPAN("range"), 42);
    group_restore_member(group, &one, SPAN("\14"));
    group_restore_member(group, &two, SPAN(""));
    group_restored(group, SPAN("m1"));
    const struct coord_record record = record_of_group(&arena, group);
    ck_assert(span_equal(record.key, SPAN("\0\2\0\1g")));
    ck_assert(span_equal(record.value, span_of(group_bytes, sizeof(group_bytes) - 1)));
}
END_TEST

/* Replays one batch of the given records. */
static void replay(const struct coord_record *records, int32_t count)
{
    size_t size = BATCH_HEADER_BYTES;
    for (int32_t i = 0; i < count; i++)
        size += batch_record_size(i, 0, records[i].key, records[i].value);
    struct batch_builder builder;
    uint8_t *bytes = arena_take(&arena, size);
    batch_builder_start(&builder, bytes, size, 0, false);
    for (int32_t i = 0; i < count; i++)
        batch_builder_add(&builder, 0, records[i].key, records[i].value);
    shard_replay(&shard, span_of(bytes, batch_builder_finish(&builder)));
}

START_TEST(group_comes_back)
{
    const struct coord_record record = {SPAN("\0\2\0\1g"),
                                        span_of(group_bytes, sizeof(group_bytes) - 1)};
    replay(&record, 1);
    shard_loaded(&shard);
    const struct group *group = shard_find(&shard, SPAN("g"));
    ck_assert_int_eq(group->state, GROUP_STABLE);
    ck_assert_int_eq(group->generation, 9);
    ck_assert_int_eq(group->state_ms, 42);
    ck_assert(span_equal(group->leader->id, SPAN("m1")));
    const struct group_member *first = group_next_member(group, NULL);
    const struct group_member *second = group_next_member(group, first);
    ck_assert(span_equal(first->id, SPAN("m1")) && span_is_null(first->instance_id));
    ck_assert(span_equal(first->assignment, SPAN("\14")));
    ck_assert(span_equal(group_member_metadata(first), SPAN("\12\13")));
    ck_assert(first->session_timeout_ms == 1 && first->rebalance_timeout_ms == 2);
    ck_assert(span_equal(second->id, SPAN("m2")) && span_equal(second->instance_id, SPAN("i")));
    ck_assert_uint_eq(shard.unread_count, 0);
}
END_TEST

/* What no broker of ours wrote. */
START_TEST(strange_records)
{
    const struct group_metadata_value_member twice[] = {
        {.member_id = SPAN("m"), .client_id = SPAN(""), .session_timeout = -5},
        {.member_id = SPAN("m"), .client_id = SPAN(""), .session_timeout = -5},
    };
    struct group_metadata_value value = {.protocol_type = SPAN("consumer"),
                                         .generation = INT32_MIN,
                                         .leader = SPAN("nobody"),
                                         .members_count = 2};
    struct wire_writer writer = {.data = arena_take(&arena, 1024), .capacity = 1024};
    value.members = arena_take(&arena, sizeof(twice));
    memcpy(value.members, twice, sizeof(twice));
    ck_assert_int_eq(wire_encode_record(&wire_group_metadata_value, 3, &value, &writer), ERR_NONE);
    const struct coord_record records[] = {
        {SPAN_NULL, SPAN("x")},
        {SPAN("\0"), SPAN("x")},
        {SPAN("\0\0\0\1g\0\1t\0\0\0\0"), SPAN("of an old release")},
        {SPAN("\0\3\0\1g"), SPAN("of another protocol")},
        {SPAN("\0\1\0\1g\0\1t\0\0\0"), SPAN("a key cut short")},
        {SPAN("\0\1\0\1g\0\1t\0\0\0\0"), SPAN("\0\3short")},
        {SPAN("\0\1\0\1g\0\1t\0\0\0\0"), SPAN("\0\11of a later version")},
        {SPAN("\0\2\0\1h"), span_of(writer.data, writer.length)},
    };
    replay(records, sizeof(records) / sizeof(*records));
    ck_assert_uint_eq(shard.unread_count, 5);
    shard_loaded(&shard);
    ck_assert_ptr_null(shard_find(&shard, SPAN("g")));
    struct group *group = shard_find(&shard, SPAN("h"));
    ck_assert_uint_eq(map_count(&group->members), 1);
    ck_assert_int_eq(group->state, GROUP_STABLE);
    ck_assert(span_equal(group->leader->id, SPAN("m")));
    io.now_us = 1;
    timers_run(&io.timers, io.now_us);
    ck_assert_int_eq(group->state, GROUP_EMPTY);
    ck_assert_int_eq(group->generation, 1);
}
END_TEST

START_TEST(damaged_batch)
{
    shard_replay(&shard, SPAN("0123456789012345678901234567890123456789012345678901234567890"));
    ck_assert_uint_eq(shard.unread_count, 1);
}
END_TEST

/* As Java computes them; of bytes that are no text, one unit for each. */
static const struct {
    struct span text;
    int32_t hash;
} hashes[] = {
    {BYTES(""), 0},
    {BYTES("a"), 97},
    {BYTES("hello"), 99162322},
    {BYTES("console-consumer-12345"), 158455506},
    {BYTES("polygenelubricants"), INT32_MIN},
    {BYTES("gr\303\274n"), 3185949},
    {BYTES("\342\202\254"), 8364},
    {BYTES("\360\237\230\200"), 1772899},
    {BYTES("\377"), 65533},
    {BYTES("\303"), 65533},
    {BYTES("\355\240\200"), 65533 * 31 * 31 + 65533 * 31 + 65533},
};

START_TEST(hash)
{
    ck_assert_int_eq(java_hash(hashes[_i].text), hashes[_i].hash);
}
END_TEST

SUITE(record)
{
    TCase *tcase = tcase_create("record");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, offset_value, 0, sizeof(values) / sizeof(*values));
    tcase_add_test(tcase, tombstones);
    tcase_add_test(tcase, group_with_members);
    tcase_add_test(tcase, group_comes_back);
    tcase_add_test(tcase, strange_records);
    tcase_add_test(tcase, damaged_batch);
    tcase_add_loop_test(tcase, hash, 0, sizeof(hashes) / sizeof(*hashes));
    suite_add_tcase(suite, tcase);
}
