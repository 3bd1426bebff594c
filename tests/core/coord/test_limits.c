/* SPDX-License-Identifier: Apache-2.0 */
/* What clients may bring, and where it ends. */
#include <string.h>

#include "core/coord/shard.h"
#include "core/wire/error.h"
#include "tests/core/coord/fake_log.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct effects effects;
static struct io io;
static struct group_settings settings = {.max_size = INT32_MAX,
                                         .max_session_timeout_ms = INT32_MAX,
                                         .initial_rebalance_delay_ms = 1000,
                                         .offsets_retention_ms = INT64_MAX,
                                         .retention_check_ms = INT64_MAX};
static struct shard shard;
static struct fake_log fake;
static struct group *group;
static int heard;
static int heard_error;
static uint8_t heard_id[512];
static size_t heard_length;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    effects_init(&effects, &memory);
    io_init(&io, &memory, &effects);
    rng_init(&io.rng, 7);
    fake_log_init(&fake);
    shard_init(&shard, &io, &settings, NULL, &fake.log);
    shard_loaded(&shard);
    group = shard_open(&shard, SPAN("g"));
    heard = 0;
}

static void tear_down(void)
{
    shard_drop(&shard, ERR_NOT_COORDINATOR);
    fake_log_free(&fake);
    effects_free(&effects);
    io_free(&io);
    ck_assert_uint_eq(heap.blocks, 0);
}

static void hear(struct group_join *join, const struct group_joined *joined)
{
    (void)join;
    heard++;
    heard_error = joined->error;
    heard_length = joined->member_id.length;
    ck_assert_uint_le(heard_length, sizeof(heard_id));
    memcpy(heard_id, joined->member_id.data, heard_length);
}

static struct group_join newcomer(const struct group_protocol *protocols, uint32_t count)
{
    return (struct group_join){.member_id = SPAN(""),
                               .client_id = SPAN("c"),
                               .client_host = SPAN("/h"),
                               .protocol_type = SPAN("consumer"),
                               .protocols = protocols,
                               .protocols_count = count,
                               .session_timeout_ms = 10000,
                               .rebalance_timeout_ms = 10000,
                               .needs_member_id = true,
                               .done = hear};
}

START_TEST(protocols_of_one_member)
{
    struct group_protocol protocols[GROUP_PROTOCOLS_MAX + 1];
    for (int i = 0; i <= GROUP_PROTOCOLS_MAX; i++)
        protocols[i] = (struct group_protocol){SPAN("range"), SPAN("")};
    struct group_join join = newcomer(protocols, GROUP_PROTOCOLS_MAX + 1);
    group_join(group, &join);
    ck_assert_int_eq(heard_error, ERR_INVALID_REQUEST);
    join = newcomer(protocols, GROUP_PROTOCOLS_MAX);
    group_join(group, &join);
    ck_assert_int_eq(heard_error, ERR_MEMBER_ID_REQUIRED);
    ck_assert_int_eq(heard, 2);
}
END_TEST

START_TEST(bytes_of_one_member)
{
    static uint8_t bytes[GROUP_METADATA_BYTES_MAX];
    struct group_protocol protocol = {SPAN("r"), span_of(bytes, sizeof(bytes))};
    struct group_join join = newcomer(&protocol, 1);
    group_join(group, &join);
    ck_assert_int_eq(heard_error, ERR_INVALID_REQUEST);
    protocol.metadata.length--;
    join = newcomer(&protocol, 1);
    group_join(group, &join);
    ck_assert_int_eq(heard_error, ERR_MEMBER_ID_REQUIRED);
}
END_TEST

START_TEST(ids_given_out_and_not_used)
{
    const struct group_protocol protocol = {SPAN("range"), SPAN("")};
    for (int i = 0; i <= GROUP_PENDING_MAX; i++) {
        struct group_join join = newcomer(&protocol, 1);
        group_join(group, &join);
        ck_assert_int_eq(heard_error, i < GROUP_PENDING_MAX ? ERR_MEMBER_ID_REQUIRED
                                                            : ERR_GROUP_MAX_SIZE_REACHED);
    }
    ck_assert_uint_eq(map_count(&group->pending), GROUP_PENDING_MAX);
}
END_TEST

/* The name in a member id ends before the character that does not fit. */
static const struct {
    size_t plain; /* letters in front of a character of three bytes */
    size_t name;  /* bytes of it that are left */
} names[] = {{0, 3}, {200, 203}, {252, 255}, {253, 253}, {254, 254}, {255, 255}, {300, 255}};

START_TEST(name_in_a_member_id)
{
    char name[400];
    const struct group_protocol protocol = {SPAN("range"), SPAN("")};
    struct group_join join = newcomer(&protocol, 1);
    memset(name, 'x', sizeof(name));
    memcpy(name + names[_i].plain, "\342\202\254", 3);
    join.client_id = span_of(name, names[_i].plain + 3);
    group_join(group, &join);
    ck_assert_uint_eq(heard_length,
                      names[_i].name + strlen("-12345678-1234-1234-1234-123456789012"));
    ck_assert_mem_eq(heard_id, name, names[_i].name);
    ck_assert_uint_eq(heard_id[names[_i].name], '-');
    ck_assert_uint_eq(heard_id[names[_i].name + 9], '-');
}
END_TEST

/* Two ids are never the same. */
START_TEST(member_ids_differ)
{
    uint8_t first[sizeof(heard_id)];
    const struct group_protocol protocol = {SPAN("range"), SPAN("")};
    struct group_join join = newcomer(&protocol, 1);
    group_join(group, &join);
    memcpy(first, heard_id, heard_length);
    join = newcomer(&protocol, 1);
    group_join(group, &join);
    ck_assert_mem_ne(first, heard_id, heard_length);
}
END_TEST

/* More than the log takes in one turn is refused, and the next turn takes it. */
START_TEST(records_of_one_turn)
{
    static uint8_t note[1000000];
    struct coord_record record = {SPAN("\0\1\0\1g\0\1t\0\0\0\0"), span_of(note, sizeof(note))};
    int taken = 0;
    int error;
    for (;; taken++) {
        struct span copy = arena_copy(shard_arena(&shard), record.value);
        record.value = copy;
        record.key = span_is_null(copy) ? SPAN_NULL : record.key;
        error = shard_write(&shard, &record, 1, NULL);
        if (error != ERR_NONE)
            break;
    }
    ck_assert_int_eq(error, ERR_COORDINATOR_NOT_AVAILABLE);
    ck_assert_int_eq(taken, (int)(SHARD_TURN_BYTES_MAX / sizeof(note)));
    io_run_turn_tasks(&io);
    ck_assert_int_eq(fake.count, taken);
    const struct coord_record small = {SPAN("\0\1\0\1g\0\1t\0\0\0\0"), SPAN_NULL};
    ck_assert_int_eq(shard_write(&shard, &small, 1, NULL), ERR_NONE);
}
END_TEST

/* The log stops taking records: the shard writes nothing any more and says so. */
START_TEST(log_that_fails)
{
    const struct coord_record record = {SPAN("\0\1\0\1g\0\1t\0\0\0\0"), SPAN_NULL};
    fake.append_error = ERR_NOT_LEADER_OR_FOLLOWER;
    ck_assert_int_eq(shard_write(&shard, &record, 1, NULL), ERR_NONE);
    ck_assert_int_eq(shard_write(&shard, &record, 1, NULL), ERR_NONE);
    io_run_turn_tasks(&io);
    ck_assert_int_eq(fake.failed_error, ERR_NOT_LEADER_OR_FOLLOWER);
    ck_assert_int_eq(fake.count, 0);
    ck_assert_int_eq(shard_write(&shard, &record, 1, NULL), ERR_NOT_COORDINATOR);
}
END_TEST

SUITE(limits)
{
    TCase *tcase = tcase_create("limits");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, protocols_of_one_member);
    tcase_add_test(tcase, bytes_of_one_member);
    tcase_add_test(tcase, ids_given_out_and_not_used);
    tcase_add_loop_test(tcase, name_in_a_member_id, 0, sizeof(names) / sizeof(*names));
    tcase_add_test(tcase, member_ids_differ);
    tcase_add_test(tcase, records_of_one_turn);
    tcase_add_test(tcase, log_that_fails);
    suite_add_tcase(suite, tcase);
}
