/* SPDX-License-Identifier: Apache-2.0 */
/* The controller and its WAL, through crashes, full disks and damage. */
#include "core/meta/wal.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/meta/quorum.h"
#include "core/meta/quorum_state.h"
#include "core/meta/snapshot.h"
#include "core/meta/snapshot_store.h"
#include "core/wire/error.h"
#include "tests/core/meta/site.h"
#include "tests/support/runner.h"

#define LOG_FILE WAL_LOG_NAME "/00000000000000000000.log"

static struct site site;

static void set_up(void)
{
    site_begin(&site, 1);
}

static void tear_down(void)
{
    site_end(&site);
}

static void start(void)
{
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert_int_eq(site_do(&site, WISH_REGISTER, NULL, 0), ERR_NONE);
}

START_TEST(what_was_done_is_there_after_a_crash)
{
    start();
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "a", 3), ERR_NONE);
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "b", 1), ERR_NONE);
    ck_assert_int_eq(site_do(&site, WISH_REMOVE, "a", 0), ERR_NONE);
    const uint64_t digest = image_digest(&site.image);
    const int64_t end = site.image.end_offset;
    site_power_loss(&site);
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert_uint_eq(image_digest(&site.image), digest);
    ck_assert_int_eq(site.image.end_offset, end + 1); /* the first record of its term */
    ck_assert(!site_has(&site, "a") && site_has(&site, "b"));
    site_kill(&site);
}
END_TEST

START_TEST(an_orderly_end_gives_all_memory_back)
{
    start();
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "a", 3), ERR_NONE);
    const uint64_t digest = image_digest(&site.image);
    site_close(&site);
    start();
    ck_assert(site_has(&site, "a"));
    ck_assert_uint_ne(image_digest(&site.image), digest); /* the new process */
    site_close(&site);
}
END_TEST

START_TEST(nothing_counts_before_it_is_durable)
{
    struct wish wish;
    start();
    world_hold(site.world, EFFECT_SYNC, LOG_FILE);
    site_wish(&site, &wish, WISH_CREATE, "a", 1);
    world_run(site.world);
    ck_assert(wish.prepared && !wish.done);
    ck_assert(!site_has(&site, "a"));
    world_release(site.world);
    world_run(site.world);
    ck_assert(wish.done);
    ck_assert_int_eq(wish.error, ERR_NONE);
    ck_assert(site_has(&site, "a"));
    site_kill(&site);
}
END_TEST

START_TEST(a_proposal_sees_all_before_it)
{
    struct wish first;
    struct wish second;
    struct wish third;
    start();
    site_wish(&site, &first, WISH_CREATE, "a", 1);
    site_wish(&site, &second, WISH_CREATE, "a", 1);
    site_wish(&site, &third, WISH_REMOVE, "a", 0);
    world_run(site.world);
    ck_assert_int_eq(first.error, ERR_NONE);
    ck_assert_int_eq(second.error, ERR_TOPIC_ALREADY_EXISTS);
    ck_assert_int_eq(third.error, ERR_NONE);
    ck_assert(first.done && second.done && third.done);
    ck_assert(!site_has(&site, "a"));
    site_kill(&site);
}
END_TEST

START_TEST(a_cancelled_proposal_is_not_called)
{
    struct wish queued;
    struct wish written;
    start();
    site_wish(&site, &queued, WISH_CREATE, "a", 1);
    controller_cancel(site.controller, &queued.proposal);
    world_run(site.world);
    ck_assert(!queued.prepared && !queued.done && !site_has(&site, "a"));
    world_hold(site.world, EFFECT_SYNC, LOG_FILE);
    site_wish(&site, &written, WISH_CREATE, "b", 1);
    world_run(site.world);
    ck_assert(written.prepared);
    controller_cancel(site.controller, &written.proposal);
    world_release(site.world);
    world_run(site.world);
    ck_assert(!written.done);
    ck_assert(site_has(&site, "b"));
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "c", 1), ERR_NONE);
    site_kill(&site);
}
END_TEST

START_TEST(every_process_leads_under_a_higher_epoch)
{
    start();
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "a", 1), ERR_NONE);
    for (int32_t process = 0; process < 4; process++) {
        const struct meta_topic *topic = image_topic(&site.image, SPAN("a"));
        ck_assert_int_eq(topic->partitions[0].leader_epoch, process);
        const int32_t epoch = site.image.epoch;
        site_kill(&site);
        start();
        ck_assert_int_gt(site.image.epoch, epoch);
    }
    site_kill(&site);
}
END_TEST

/* Fills the log until there are `snapshots` snapshots. */
static void fill(uint32_t snapshots)
{
    char name[16];
    for (int i = 0; i < 64; i++) {
        uint32_t count = 0;
        const char *found;
        for (uint32_t k = 0; (found = world_name(site.world, WAL_LOG_NAME, k)) != NULL; k++)
            count += strstr(found, ".checkpoint") != NULL;
        if (count >= snapshots)
            return;
        snprintf(name, sizeof(name), "t%d", i);
        ck_assert_int_eq(site_do(&site, WISH_CREATE, name, 10000), ERR_NONE);
        if (i > 2 && i % 2 == 0)
            ck_assert_int_eq(site_do(&site, WISH_REMOVE, name, 0), ERR_NONE);
    }
    ck_abort_msg("no snapshot was written");
}

/* The path of the newest snapshot. */
static const char *newest_snapshot(void)
{
    static char path[128];
    const char *name;
    path[0] = 0;
    for (uint32_t i = 0; (name = world_name(site.world, WAL_LOG_NAME, i)) != NULL; i++) {
        if (strstr(name, ".checkpoint") != NULL)
            snprintf(path, sizeof(path), WAL_LOG_NAME "/%s", name);
    }
    return path;
}

START_TEST(snapshots_shorten_what_is_replayed)
{
    start();
    fill(2);
    const uint64_t digest = image_digest(&site.image);
    site_power_loss(&site);
    world_reset_counts(site.world);
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert_uint_eq(image_digest(&site.image), digest);
    site_close(&site);
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert_uint_eq(image_digest(&site.image), digest);
    site_kill(&site);
}
END_TEST

/* The only one gives way to the whole log. */
START_TEST(a_torn_snapshot_gives_way_to_the_one_before)
{
    start();
    fill(1 + (uint32_t)_i / 3);
    const uint64_t digest = image_digest(&site.image);
    const char *path = newest_snapshot();
    const struct span whole = world_file(site.world, path);
    ck_assert(!span_is_null(whole));
    uint8_t *torn = malloc(whole.length);
    memcpy(torn, whole.data, whole.length);
    const size_t cuts[] = {0, whole.length / 2, whole.length - 1};
    site_kill(&site);
    world_put_file(site.world, path, span_of(torn, cuts[_i % 3]));
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert_uint_eq(image_digest(&site.image), digest);
    ck_assert(world_logged(site.world, "torn metadata snapshot"));
    ck_assert(span_is_null(world_file(site.world, path)));
    free(torn);
    site_kill(&site);
}
END_TEST

/* One that tears on the way would only be passed over: the one before is all that is left then. */
START_TEST(a_snapshot_is_durable_before_the_log_lets_go)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        site_end(&site);
        site_begin(&site, seed);
        start();
        fill(2);
        site_power_loss(&site);
        ck_assert_int_eq(site_boot(&site), ERR_NONE);
        ck_assert(!world_logged(site.world, "torn metadata snapshot"));
        uint32_t count = 0;
        const char *name;
        for (uint32_t i = 0; (name = world_name(site.world, WAL_LOG_NAME, i)) != NULL; i++)
            count += strstr(name, ".checkpoint") != NULL;
        ck_assert_uint_eq(count, 2);
        site_kill(&site);
    }
}
END_TEST

START_TEST(a_snapshot_that_was_never_finished_is_removed)
{
    static const char part[] = WAL_LOG_NAME "/00000000000000000009-0000000001.checkpoint.part";
    start();
    site_kill(&site);
    world_put_file(site.world, part, SPAN("rubbish"));
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert(span_is_null(world_file(site.world, part)));
    site_kill(&site);
}
END_TEST

START_TEST(a_snapshot_that_cannot_be_written_is_only_put_off)
{
    start();
    world_fail(site.world, EFFECT_WRITE, ".checkpoint", 0, 1, ERR_IO, 10);
    fill(1);
    ck_assert(world_logged(site.world, "metadata snapshot could not be written"));
    site_kill(&site);
}
END_TEST

START_TEST(a_damaged_log_refuses_to_start)
{
    start();
    for (char name[] = "a"; name[0] <= 'z'; name[0]++)
        ck_assert_int_eq(site_do(&site, WISH_CREATE, name, 1), ERR_NONE);
    site_close(&site);
    const struct span bytes = world_file(site.world, LOG_FILE);
    uint8_t *damaged = malloc(bytes.length);
    memcpy(damaged, bytes.data, bytes.length);
    damaged[bytes.length / 2] ^= 0xff;
    world_put_file(site.world, LOG_FILE, span_of(damaged, bytes.length));
    free(damaged);
    ck_assert_int_gt(site_boot(&site), ERR_NONE);
    ck_assert(world_logged(site.world, WAL_LOG_NAME));
    ck_assert(world_logged(site.world, "mend"));
    ck_assert(!world_logged(site.world, "to lose it"));
    ck_assert(controller_has_failed(site.controller));
    site_kill(&site);
}
END_TEST

START_TEST(a_lost_log_refuses_to_start)
{
    start();
    fill(1);
    site_close(&site);
    world_remove(site.world, LOG_FILE);
    ck_assert_int_gt(site_boot(&site), ERR_NONE);
    ck_assert(world_logged(site.world, "mend"));
    site_kill(&site);
}
END_TEST

/* It would vote, or begin an empty cluster, as who has never acknowledged anything; and would not
 * know any more at its next start. */
START_TEST(a_lost_folder_refuses_to_start)
{
    start();
    site_close(&site);
    world_remove(site.world, WAL_LOG_NAME);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_gt(site_boot(&site), ERR_NONE);
        ck_assert(world_logged(site.world, "the partition's folder is gone"));
        ck_assert(world_logged(site.world, "begin an empty cluster")); /* the line is whole */
        ck_assert(controller_has_failed(site.controller));
        if (i == 0)
            site_close(&site);
        else
            site_kill(&site);
    }
}
END_TEST

/* Nor is one set aside that had begun, whatever became of the file that says whose it is. */
START_TEST(a_log_without_its_identity_refuses_to_start)
{
    start();
    site_close(&site);
    if (_i == 0)
        world_remove(site.world, WAL_LOG_NAME "/partition.metadata");
    else
        world_put_file(site.world, WAL_LOG_NAME "/partition.metadata",
                       SPAN("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAg\n"));
    if (_i == 2)
        world_remove(site.world, LOG_FILE);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_gt(site_boot(&site), ERR_NONE);
        ck_assert(world_logged(site.world, "run chronik format"));
        site_kill(&site);
    }
}
END_TEST

START_TEST(a_log_that_ends_before_its_snapshot_refuses_to_start)
{
    char path[128] = WAL_LOG_NAME "/";
    uint32_t length;
    uint32_t capacity;
    start();
    struct image ahead;
    image_init(&ahead, site.io->memory, 1);
    ahead.epoch = 1;
    uint8_t *block = snapshot_save(&ahead, SPAN_NULL, 0, &length, &capacity);
    snapshot_name((struct snapshot_id){.offset = 1000, .epoch = 1}, path + strlen(path));
    world_put_file(site.world, path, span_of(block, length));
    site_kill(&site);
    ck_assert_int_gt(site_boot(&site), ERR_NONE);
    ck_assert(world_logged(site.world, "does not fit its snapshot"));
    site_kill(&site);
}
END_TEST

START_TEST(a_full_disk_refuses_until_there_is_room)
{
    start();
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "a", 1), ERR_NONE);
    const uint64_t digest = image_digest(&site.image);
    const int32_t epoch = site.image.epoch;
    world_fail(site.world, EFFECT_WRITE, LOG_FILE, 0, 2, ERR_NO_SPACE, 20);
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "b", 1), ERR_KAFKA_STORAGE_ERROR);
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "b", 1), ERR_KAFKA_STORAGE_ERROR);
    ck_assert_uint_eq(image_digest(&site.image), digest);
    ck_assert(!controller_has_failed(site.controller));
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "b", 1), ERR_NONE);
    ck_assert_int_gt(site.image.epoch, epoch);
    site_power_loss(&site);
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert(site_has(&site, "a") && site_has(&site, "b"));
    site_kill(&site);
}
END_TEST

/* Wherever it fails, at the first vote and at a later one. */
START_TEST(a_vote_that_cannot_be_written_is_written_later)
{
    static const struct {
        enum effect_kind kind;
        int error;
        bool is_first;
        bool is_later;
    } faults[] = {
        {EFFECT_OPEN, ERR_IO, true, false},   {EFFECT_WRITE, ERR_NO_SPACE, true, true},
        {EFFECT_WRITE, ERR_IO, true, true},   {EFFECT_SYNC, ERR_IO, true, true},
        {EFFECT_RENAME, ERR_IO, true, false},
    };
    for (int life = 0; life < 2; life++) {
        if (life == 0 ? !faults[_i].is_first : !faults[_i].is_later)
            continue;
        world_fail(site.world, faults[_i].kind,
                   life == 0 ? QUORUM_STATE_FILE ".part" : QUORUM_STATE_FILE, 0, 2,
                   faults[_i].error, 0);
        ck_assert_int_eq(site_boot(&site), -1);
        ck_assert(world_logged(site.world, "vote cannot be written"));
        world_advance_ms(site.world, 999);
        ck_assert_int_eq(site.woken, 0);
        world_advance_ms(site.world, 1); /* fails again */
        ck_assert_int_eq(site.woken, 0);
        world_mend(site.world);
        world_advance_ms(site.world, 2000);
        ck_assert_int_eq(site.woken, 1);
        ck_assert_int_eq(site.error, ERR_NONE);
        ck_assert(world_logged(site.world, "vote is written"));
        const int32_t term = quorum_status(controller_quorum(site.controller)).term;
        site_power_loss(&site);
        ck_assert_int_eq(site_boot(&site), ERR_NONE);
        ck_assert_int_eq(quorum_status(controller_quorum(site.controller)).term, term + 1);
        ck_assert_int_eq(site_do(&site, WISH_REGISTER, NULL, 0), ERR_NONE);
        site_kill(&site);
    }
}
END_TEST

START_TEST(closing_while_a_vote_cannot_be_written)
{
    world_fail(site.world, EFFECT_WRITE, QUORUM_STATE_FILE, 0, 1000, ERR_NO_SPACE, 0);
    ck_assert_int_eq(site_boot(&site), -1);
    if (_i == 1)
        world_hold(site.world, EFFECT_WRITE, QUORUM_STATE_FILE);
    world_advance_ms(site.world, 1000);
    controller_close(site.controller, &site.waiter);
    world_run(site.world);
    world_release(site.world);
    world_run(site.world);
    ck_assert_int_eq(site.woken, 1);
    site_kill(&site);
}
END_TEST

START_TEST(a_failed_sync_refuses_everything)
{
    struct wish queued;
    start();
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "a", 1), ERR_NONE);
    world_fail(site.world, EFFECT_SYNC, LOG_FILE, 0, 1, ERR_IO, 0);
    struct wish failing;
    site_wish(&site, &failing, WISH_CREATE, "b", 1);
    site_wish(&site, &queued, WISH_CREATE, "c", 1);
    world_run(site.world);
    ck_assert(failing.done && queued.done);
    ck_assert_int_eq(failing.error, ERR_KAFKA_STORAGE_ERROR);
    ck_assert_int_eq(queued.error, ERR_KAFKA_STORAGE_ERROR);
    ck_assert(controller_has_failed(site.controller));
    ck_assert_int_eq(site_do(&site, WISH_CREATE, "d", 1), ERR_KAFKA_STORAGE_ERROR);
    ck_assert(!site_has(&site, "b"));
    site_kill(&site);
}
END_TEST

START_TEST(closing_ends_what_is_under_way)
{
    struct wish under_way;
    struct wish queued;
    start();
    world_hold(site.world, EFFECT_SYNC, LOG_FILE);
    site_wish(&site, &under_way, WISH_CREATE, "a", 1);
    site_wish(&site, &queued, WISH_CREATE, "b", 1);
    world_run(site.world);
    ck_assert(under_way.prepared && !queued.prepared);
    site.woken = 0;
    controller_close(site.controller, &site.waiter);
    ck_assert(queued.done);
    ck_assert_int_eq(queued.error, ERR_KAFKA_STORAGE_ERROR);
    world_run(site.world);
    ck_assert_int_eq(site.woken, 0);
    world_release(site.world);
    world_run(site.world);
    ck_assert_int_eq(site.woken, 1);
    ck_assert(under_way.done);
    ck_assert_int_eq(under_way.error, ERR_NONE);
    site_kill(&site);
    ck_assert_int_eq(site_boot(&site), ERR_NONE);
    ck_assert(site_has(&site, "a") && !site_has(&site, "b"));
    site_kill(&site);
}
END_TEST

START_TEST(closing_while_it_boots_starts_nothing)
{
    world_hold(site.world, EFFECT_OPEN, QUORUM_STATE_FILE);
    ck_assert_int_eq(site_boot(&site), -1);
    controller_close(site.controller, &site.waiter);
    ck_assert_int_eq(site.woken, 0);
    world_release(site.world);
    world_run(site.world);
    ck_assert_int_eq(site.woken, 1);
    ck_assert_int_eq(quorum_status(controller_quorum(site.controller)).role, RAFT_STOPPED);
    site_kill(&site);
}
END_TEST

/* Topics are created until effects are used up, then the process ends: what was answered is there
 * after the next start, and what the log holds is what the next image is. */
static void end_at_effect(uint64_t seed, uint64_t effects)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    bool promised[6] = {false};
    struct site here;
    site_begin(&here, seed);
    world_set_order(here.world, WORLD_SHUFFLED);
    world_allow(here.world, effects);
    if (site_boot(&here) == ERR_NONE && site_do(&here, WISH_REGISTER, NULL, 0) == ERR_NONE) {
        for (int i = 0; i < 6; i++)
            promised[i] = site_do(&here, WISH_CREATE, names[i], 1 + i) == ERR_NONE;
    }
    if (seed % 2 == 0)
        site_kill(&here);
    else
        site_power_loss(&here);
    world_allow(here.world, UINT64_MAX);
    ck_assert_int_eq(site_boot(&here), ERR_NONE);
    for (int i = 0; i < 6; i++)
        ck_assert_msg(!promised[i] || site_has(&here, names[i]), "seed %d effect %d topic %s",
                      (int)seed, (int)effects, names[i]);
    const uint64_t digest = image_digest(&here.image);
    ck_assert_int_eq(site_do(&here, WISH_REGISTER, NULL, 0), ERR_NONE);
    ck_assert_int_eq(site_do(&here, WISH_CREATE, "last", 1), ERR_NONE);
    ck_assert_uint_ne(image_digest(&here.image), digest);
    site_close(&here);
    site_end(&here);
}

START_TEST(what_was_promised_survives_an_end_at_any_effect)
{
    for (uint64_t effects = 0; effects < 90; effects++)
        end_at_effect((uint64_t)_i, effects);
}
END_TEST

SUITE(wal)
{
    TCase *tcase = tcase_create("wal");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_was_done_is_there_after_a_crash);
    tcase_add_test(tcase, an_orderly_end_gives_all_memory_back);
    tcase_add_test(tcase, nothing_counts_before_it_is_durable);
    tcase_add_test(tcase, a_proposal_sees_all_before_it);
    tcase_add_test(tcase, a_cancelled_proposal_is_not_called);
    tcase_add_test(tcase, every_process_leads_under_a_higher_epoch);
    tcase_add_test(tcase, snapshots_shorten_what_is_replayed);
    tcase_add_loop_test(tcase, a_torn_snapshot_gives_way_to_the_one_before, 0, 6);
    tcase_add_test(tcase, a_snapshot_is_durable_before_the_log_lets_go);
    tcase_add_test(tcase, a_snapshot_that_was_never_finished_is_removed);
    tcase_add_test(tcase, a_snapshot_that_cannot_be_written_is_only_put_off);
    tcase_add_test(tcase, a_damaged_log_refuses_to_start);
    tcase_add_test(tcase, a_lost_log_refuses_to_start);
    tcase_add_test(tcase, a_lost_folder_refuses_to_start);
    tcase_add_loop_test(tcase, a_log_without_its_identity_refuses_to_start, 0, 3);
    tcase_add_test(tcase, a_log_that_ends_before_its_snapshot_refuses_to_start);
    tcase_add_test(tcase, a_full_disk_refuses_until_there_is_room);
    tcase_add_loop_test(tcase, a_vote_that_cannot_be_written_is_written_later, 0, 5);
    tcase_add_loop_test(tcase, closing_while_a_vote_cannot_be_written, 0, 2);
    tcase_add_test(tcase, a_failed_sync_refuses_everything);
    tcase_add_test(tcase, closing_ends_what_is_under_way);
    tcase_add_test(tcase, closing_while_it_boots_starts_nothing);
    tcase_add_loop_test(tcase, what_was_promised_survives_an_end_at_any_effect, 0, 10);
    suite_add_tcase(suite, tcase);
}
