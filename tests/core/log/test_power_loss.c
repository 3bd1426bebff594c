/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end at every effect: seeded workloads run again and again, each time with the process ending
 * one effect later, by a kill or by a power loss; whatever was said to be durable is there
 * afterwards.
 */
#include "core/wire/error.h"
#include "tests/core/log/story.h"

enum { BATCHES = 24, EFFECTS_MAX = 2000 };

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

/* False when the workload came to its end within `effects`. */
static bool end_at(const struct workload *workload, uint64_t seed, uint64_t effects, bool power)
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
    const int64_t kept_end = power ? story.durable_end : story.written_end;
    if (power)
        story_power_loss(&story);
    else
        story_kill(&story);
    ck_assert_msg(story_boot(&story) == LOG_READY, "%s: effect %d, seed %d: not ready",
                  workload->name, (int)effects, (int)seed);
    ck_assert_msg(log_end(story.log) >= kept_end, "%s: effect %d, seed %d: %d of %d are left",
                  workload->name, (int)effects, (int)seed, (int)log_end(story.log), (int)kept_end);
    story_check(&story, 1000);
    /* It goes on from there, and the next start finds the same. */
    story_write(&story, 2, 100);
    const int64_t end = log_end(story.log);
    ck_assert(workload->write_caching || log_durable_end(story.log) == end);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), end);
    story_check(&story, 1 << 20);
    story_end(&story);
    return more;
}

START_TEST(every_durable_batch_survives_a_power_loss)
{
    for (uint64_t effects = 0; effects < EFFECTS_MAX; effects++) {
        if (!end_at(&workloads[_i], effects, effects, true))
            return;
    }
    ck_abort_msg("the workload does not end");
}
END_TEST

START_TEST(every_written_batch_survives_a_kill)
{
    for (uint64_t effects = 0; effects < EFFECTS_MAX; effects++) {
        if (!end_at(&workloads[_i], effects, effects, false))
            return;
    }
    ck_abort_msg("the workload does not end");
}
END_TEST

SUITE(power_loss)
{
    TCase *tcase = tcase_create("power_loss");
    tcase_add_loop_test(tcase, every_durable_batch_survives_a_power_loss, 0, WORKLOADS);
    tcase_add_loop_test(tcase, every_written_batch_survives_a_kill, 0, WORKLOADS);
    suite_add_tcase(suite, tcase);
}
