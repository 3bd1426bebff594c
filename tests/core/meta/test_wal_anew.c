/* SPDX-License-Identifier: Apache-2.0 */
/* The WAL of a node that ended while it took its leader's snapshot in the place of its own log. */
#include "core/meta/snapshot.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/core/meta/lone_wal.h"
#include "tests/core/meta/site.h"
#include "tests/support/runner.h"

static struct lone_wal lone;

/* Durable, and not committed. */
static void append(int32_t epoch)
{
    lone_wal_append(&lone, (int32_t)log_end(wal_log(lone.wal)) + 1, epoch);
    world_run(lone.world);
}

/* A log of five batches, of the epochs 1, 1, 2, 2, 2. */
static void set_up(void)
{
    lone_wal_begin(&lone, 3);
    ck_assert_int_eq(lone_wal_boot(&lone), ERR_NONE);
    for (int i = 0; i < 5; i++)
        append(i < 2 ? 1 : 2);
}

static void tear_down(void)
{
    lone_wal_end(&lone);
}

/* A whole snapshot that ends there, as its leader had it, is durable; and the process ends. */
static void receive(struct snapshot_id id)
{
    char path[128] = WAL_LOG_NAME "/";
    snapshot_name(id, path + strlen(path));
    world_put_file(lone.world, path, lone_wal_snapshot(&lone, id));
    world_kill(lone.world);
}

/* It has the same history up to there, so that what is behind may count. */
START_TEST(a_log_that_agrees_is_kept)
{
    receive((struct snapshot_id){.offset = 2 + _i, .epoch = _i == 0 ? 1 : 2});
    ck_assert_int_eq(lone_wal_boot(&lone), ERR_NONE);
    ck_assert_int_eq(log_start(wal_log(lone.wal)), 0);
    ck_assert_int_eq(log_end(wal_log(lone.wal)), 5);
    ck_assert_int_eq(lone.image.end_offset, 2 + _i);
    ck_assert_uint_eq(lone.batches, 3 - (uint32_t)_i);
}
END_TEST

/* What is behind the snapshot here was appended by a leader that never had what the snapshot has:
 * it follows on something else. */
START_TEST(a_log_of_another_history_begins_anew)
{
    static const struct snapshot_id ids[] = {{2, 3}, {3, 1}, {5, 3}, {4, 7}};
    receive(ids[_i]);
    ck_assert_int_eq(lone_wal_boot(&lone), ERR_NONE);
    ck_assert_int_eq(log_start(wal_log(lone.wal)), ids[_i].offset);
    ck_assert_int_eq(log_end(wal_log(lone.wal)), ids[_i].offset);
    ck_assert_int_eq(wal_epoch_before(lone.wal, ids[_i].offset), ids[_i].epoch);
    ck_assert_int_eq(lone.image.end_offset, ids[_i].offset);
    ck_assert_uint_eq(lone.batches, 0);
    append(ids[_i].epoch + 1);
    world_power_loss(lone.world);
    ck_assert_int_eq(lone_wal_boot(&lone), ERR_NONE);
    ck_assert_int_eq(log_end(wal_log(lone.wal)), ids[_i].offset + 1);
    ck_assert_uint_eq(lone.batches, 1);
}
END_TEST

/* Where it was to be, a snapshot says what there is: that tells nothing of it. */
START_TEST(what_a_snapshot_covers_is_not_known_to_be_lost)
{
    struct wal_watch watch = {.base_offset = 5 + _i};
    const struct snapshot_id id = {.offset = 6, .epoch = 2};
    wal_watch(lone.wal, &watch);
    wal_install(lone.wal, id, lone_wal_snapshot(&lone, id));
    world_run(lone.world);
    ck_assert_int_eq(lone.image.end_offset, 6);
    ck_assert_int_eq(watch.result, _i == 0 ? WATCH_UNKNOWN : WATCH_OPEN);
}
END_TEST

START_TEST(a_log_that_ends_before_begins_anew)
{
    receive((struct snapshot_id){.offset = 6, .epoch = 2});
    ck_assert_int_eq(lone_wal_boot(&lone), ERR_NONE);
    ck_assert_int_eq(log_start(wal_log(lone.wal)), 6);
    ck_assert_int_eq(log_end(wal_log(lone.wal)), 6);
}
END_TEST

/* Nobody could have sent it one: something else is wrong. */
START_TEST(alone_it_refuses_to_start)
{
    static const struct snapshot_id ids[] = {{4, 3}, {6, 2}};
    receive(ids[_i]);
    lone.is_alone = true;
    ck_assert_int_eq(lone_wal_boot(&lone), ERR_INVALID_RECORD);
    ck_assert(world_logged(lone.world, "does not fit its snapshot"));
}
END_TEST

/* ---- Who may begin anew ---- */

/* A node that was the only one ended while it took a snapshot of which this one is the only voter;
 * how its next boot ends. */
static int boot_behind(struct site *site, struct raft_id only)
{
    struct voters_record_voter_endpoint endpoint = {SPAN("A"), SPAN("h"), 1};
    struct voters_record_voter voter = {
        .voter_id = only.node,
        .voter_directory_id = only.directory,
        .endpoints = &endpoint,
        .endpoints_count = 1,
    };
    const struct voters_record record = {.voters = &voter, .voters_count = 1};
    const struct snapshot_id id = {.offset = 1000, .epoch = 1};
    uint8_t value[256];
    struct wire_writer writer = {.data = value, .capacity = sizeof(value)};
    struct image theirs;
    char path[128] = WAL_LOG_NAME "/";
    uint32_t length;
    uint32_t capacity;
    ck_assert_int_eq(wire_encode(&wire_voters_record, 0, &record, &writer), ERR_NONE);
    ck_assert_int_eq(site_boot(site), ERR_NONE);
    image_init(&theirs, site->io->memory, 1);
    theirs.end_offset = id.offset;
    theirs.epoch = id.epoch;
    uint8_t *bytes = snapshot_save(&theirs, span_of(value, writer.length), 0, &length, &capacity);
    snapshot_name(id, path + strlen(path));
    world_put_file(site->world, path, span_of(bytes, length));
    site_kill(site);
    return site_boot(site);
}

/* The only voter of a quorum has others that follow it. That this one then has no peers to follow
 * is another matter. */
START_TEST(who_follows_a_single_voter_may_begin_anew)
{
    static const struct raft_id others[] = {{2, {{2}}}, {1, {{7}}}};
    struct site site;
    site_begin(&site, 1);
    ck_assert_int_eq(boot_behind(&site, others[_i]), ERR_INCONSISTENT_VOTER_SET);
    ck_assert(!world_logged(site.world, "does not fit its snapshot"));
    ck_assert_int_eq(site.image.end_offset, 1000);
    site_kill(&site);
    site_end(&site);
}
END_TEST

START_TEST(the_only_voter_may_not)
{
    struct site site;
    site_begin(&site, 1);
    ck_assert_int_eq(boot_behind(&site, (struct raft_id){1, {{1}}}), ERR_INVALID_RECORD);
    ck_assert(world_logged(site.world, "does not fit its snapshot"));
    site_kill(&site);
    site_end(&site);
}
END_TEST

SUITE(wal_anew)
{
    TCase *tcase = tcase_create("anew");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_log_that_agrees_is_kept, 0, 2);
    tcase_add_loop_test(tcase, a_log_of_another_history_begins_anew, 0, 4);
    tcase_add_test(tcase, a_log_that_ends_before_begins_anew);
    tcase_add_loop_test(tcase, what_a_snapshot_covers_is_not_known_to_be_lost, 0, 2);
    tcase_add_loop_test(tcase, alone_it_refuses_to_start, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("who");
    tcase_add_loop_test(tcase, who_follows_a_single_voter_may_begin_anew, 0, 2);
    tcase_add_test(tcase, the_only_voter_may_not);
    suite_add_tcase(suite, tcase);
}
