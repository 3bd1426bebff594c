/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end at every effect: seeded workloads run again and again, each time with the process ending
 * one effect later, by a kill or by a power loss; whatever was said to be durable is there
 * afterwards.
 */
#include <stdio.h>

#include "core/wire/error.h"
#include "tests/core/log/story.h"

enum { BATCHES = 24, EFFECTS_MAX = 2000, SEEDS = 4 };

struct workload {
    const char *name;
    enum world_order order;
    bool write_caching;
    int64_t segment_bytes;
    bool closes; /* and is started again in between */
};

static const struct workload workloads[] = {
    {"synced, in order", WORLD_IN_ORDER, false, INT32_MAX, false},
    {"synced, reversed", WORLD_REVERSED, false, INT32_MAX, false},
    {"synced, shuffled", WORLD_SHUFFLED, false, INT32_MAX, false},
    {"small segments", WORLD_SHUFFLED, false, 2000, false},
    {"small segments, restarts", WORLD_SHUFFLED, false, 2000, true},
    {"cached", WORLD_SHUFFLED, true, 2000, true},
};

#define WORKLOADS (int)(sizeof(workloads) / sizeof(workloads[0]))

/* Writes as far as effects are allowed. */
static void work(struct story *story, const struct workload *workload)
{
    for (int i = 0; i < BATCHES && !world_is_used_up(story->world); i++) {
        if (log_state(story->log) != LOG_READY)
            break;
        story_append(story, 1 + i % 3, 40 + (size_t)i * 13);
        if (i % 2 == 0)
            world_run(story->world);
        else
            world_turn(story->world);
        if (workload->closes && i == BATCHES / 2 && !world_is_used_up(story->world)) {
            log_close(story->log, &story->waiter);
            world_run(story->world);
            if (log_state(story->log) != LOG_CLOSED)
                return;
            folder_close(story->folder, &story->waiter);
            world_run(story->world);
            if (world_is_used_up(story->world))
                return;
            const uint64_t left = world_left(story->world);
            world_exit(story->world);
            world_allow(story->world, left);
            if (story_boot(story) != LOG_READY)
                return;
        }
    }
    world_run(story->world);
}

/* How the process ends: by a kill; by a power loss; by a kill, and a power loss when the next one
 * had just said that it is ready, or had written on. */
enum end { END_KILL, END_POWER_LOSS, END_BOTH, END_BOTH_LATER };

/* Returns up to where everything has to be there afterwards. */
static int64_t end(struct story *story, enum end how)
{
    int64_t kept_end = how == END_POWER_LOSS ? story->durable_end : story->written_end;
    if (how == END_POWER_LOSS) {
        story_power_loss(story);
        return kept_end;
    }
    story_kill(story);
    if (how == END_KILL)
        return kept_end;
    ck_assert_int_eq(story_boot(story), LOG_READY);
    ck_assert_int_eq(log_durable_end(story->log), log_end(story->log));
    if (how == END_BOTH_LATER) {
        story_write(story, 1, 50);
        kept_end = log_durable_end(story->log);
    }
    story_power_loss(story);
    return kept_end;
}

/* True when the workload was not at its end after so many `effects`. */
static bool end_at(const struct workload *workload, uint64_t seed, uint64_t effects, enum end how)
{
    struct story story;
    story_begin(&story, seed);
    world_set_order(story.world, workload->order);
    story.settings.write_caching = workload->write_caching;
    story.settings.segment_bytes = workload->segment_bytes;
    story.settings.index_interval_bytes = 500;
    world_allow(story.world, effects);
    if (story_boot(&story) == LOG_READY)
        work(&story, workload);
    const bool more = world_is_used_up(story.world);
    const int64_t kept_end = end(&story, how);
    /* Whatever the setting is now, the log is as it was written. */
    story.settings.write_caching = workload->write_caching && seed % 2 == 0;
    ck_assert_msg(story_boot(&story) == LOG_READY, "%s: effect %d, seed %d: not ready",
                  workload->name, (int)effects, (int)seed);
    ck_assert_msg(log_end(story.log) >= kept_end, "%s: effect %d, seed %d: %d of %d are left",
                  workload->name, (int)effects, (int)seed, (int)log_end(story.log), (int)kept_end);
    ck_assert_msg(workload->write_caching || log_start(story.log) == 0,
                  "%s: effect %d, seed %d: it begins at %d", workload->name, (int)effects,
                  (int)seed, (int)log_start(story.log));
    story_check(&story, 1000);
    story_check_epochs(&story);
    /* It goes on from there, and the next start finds the same. */
    story_write(&story, 2, 100);
    const int64_t end_offset = log_end(story.log);
    ck_assert(story.settings.write_caching || log_durable_end(story.log) == end_offset);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), end_offset);
    story_check(&story, 1 << 20);
    story_check_epochs(&story);
    story_end(&story);
    return more;
}

static void end_everywhere(const struct workload *workload, enum end how)
{
    for (uint64_t effects = 0; effects < EFFECTS_MAX; effects++) {
        bool more = false;
        for (uint64_t seed = 0; seed < SEEDS; seed++)
            more |= end_at(workload, effects * SEEDS + seed, effects, how);
        if (!more)
            return;
    }
    ck_abort_msg("the workload does not end");
}

START_TEST(every_durable_batch_survives_a_power_loss)
{
    end_everywhere(&workloads[_i], END_POWER_LOSS);
}
END_TEST

START_TEST(every_written_batch_survives_a_kill)
{
    end_everywhere(&workloads[_i], END_KILL);
}
END_TEST

START_TEST(what_a_killed_process_left_is_durable_when_it_is_served)
{
    end_everywhere(&workloads[_i], END_BOTH);
}
END_TEST

START_TEST(what_follows_a_killed_process_is_durable_with_all_that_it_needs)
{
    end_everywhere(&workloads[_i], END_BOTH_LATER);
}
END_TEST

/* Or a power loss might leave it, and not those before it: a log with a hole. */
START_TEST(a_segment_is_made_when_those_before_it_are_durable)
{
    struct story story;
    char next[64];
    story_begin(&story, 1);
    story.settings.segment_bytes = 1000;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    world_hold(story.world, EFFECT_SYNC_FOLDER, "topic-0");
    story_append(&story, 1, 800);
    const int64_t offset = story_append(&story, 1, 800);
    snprintf(next, sizeof(next), "%s", story_path(offset, ".log"));
    world_run(story.world);
    ck_assert(!span_is_null(world_file(story.world, story_path(0, ".log"))));
    ck_assert(span_is_null(world_file(story.world, next)));
    world_release(story.world);
    world_run(story.world);
    ck_assert(!span_is_null(world_file(story.world, next)));
    ck_assert_int_eq(log_durable_end(story.log), 2);
    story_end(&story);
}
END_TEST

/* With write caching it is made at once, also while its folder is synced for those before. */
START_TEST(a_folder_is_synced_again_for_a_segment_that_came_meanwhile)
{
    struct story story;
    story_begin(&story, 1);
    story.settings.segment_bytes = 1000;
    story.settings.write_caching = true;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    story_write(&story, 1, 800);
    const int64_t second = story_append(&story, 1, 800);
    const int64_t third = story_append(&story, 1, 800);
    /* The folder is synced once before, for what says that the second proves nothing. */
    while (span_is_null(world_file(story.world, story_path(second, ".log"))))
        ck_assert(world_turn(story.world));
    world_hold(story.world, EFFECT_SYNC_FOLDER, "topic-0");
    world_run(story.world);
    ck_assert(!span_is_null(world_file(story.world, story_path(third, ".log"))));
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(log_durable_end(story.log), log_end(story.log));
    story_end(&story);
}
END_TEST

/* What a recovery point promises: a short restart, with all that it needs. */
START_TEST(a_recovery_point_needs_nothing_to_be_built_anew)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct story story;
        struct log_append append;
        story_begin(&story, seed);
        world_set_order(story.world, WORLD_SHUFFLED);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        for (int i = 0; i < 30; i++) {
            story.epoch = 1 + i / 7;
            ck_assert_int_eq(story_append_by(&story, 3, 7, 0, i * 3, &append), ERR_NONE);
            world_run(story.world);
            story_write(&story, 1, 100000);
            if (i % 10 == 9)
                world_advance_ms(story.world, 61000);
        }
        story_power_loss(&story);
        ck_assert(!span_is_null(world_file(story.world, story_path(120, ".snapshot"))));
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        ck_assert_int_eq(log_end(story.log), 120);
        story_check_epochs(&story);
        ck_assert(!world_logged(story.world, "older producer snapshot"));
        ck_assert(!world_logged(story.world, "built anew"));
        ck_assert(!world_logged(story.world, "found again"));
        ck_assert_uint_le(world_count(story.world, EFFECT_READ), 12); /* 20 for all of it */
        ck_assert_int_eq(story_append_by(&story, 3, 7, 0, 87, &append), ERR_NONE);
        ck_assert(append.duplicate);
        ck_assert_int_eq(append.base_offset, 116);
        story_check(&story, 1 << 20);
        story_end(&story);
    }
}
END_TEST

SUITE(power_loss)
{
    TCase *tcase = tcase_create("power_loss");
    tcase_add_loop_test(tcase, every_durable_batch_survives_a_power_loss, 0, WORKLOADS);
    tcase_add_loop_test(tcase, every_written_batch_survives_a_kill, 0, WORKLOADS);
    tcase_add_loop_test(tcase, what_a_killed_process_left_is_durable_when_it_is_served, 0,
                        WORKLOADS);
    tcase_add_loop_test(tcase, what_follows_a_killed_process_is_durable_with_all_that_it_needs, 0,
                        WORKLOADS);
    tcase_add_test(tcase, a_segment_is_made_when_those_before_it_are_durable);
    tcase_add_test(tcase, a_folder_is_synced_again_for_a_segment_that_came_meanwhile);
    tcase_add_test(tcase, a_recovery_point_needs_nothing_to_be_built_anew);
    suite_add_tcase(suite, tcase);
}
