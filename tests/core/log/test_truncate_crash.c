/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a follower's process at every effect, and by chance: what its log has afterwards is
 * what it was sent and did not cut, as far as it was durable; or, where a cut was under way, a part
 * of what there was before, down to the cut.
 */
#include "core/base/rng.h"
#include "core/log/internal.h"
#include "core/wire/error.h"
#include "tests/core/log/model.h"

enum { EFFECTS_MAX = 3000, RUNS = 200, STEPS = 80 };

struct follower {
    struct story story;
    struct model model; /* what the log has, and what it had before the cut under way */
    int64_t safe_end;   /* so much of it survives */
    bool cuts;          /* there is one under way: */
    int64_t cut;        /* nothing below it goes */
    bool begins_again;  /* at `cut` */
    bool power;         /* the next end is a power loss */
    struct rng rng;
};

static struct follower follower;

static int64_t draw(int64_t count)
{
    return (int64_t)(rng_next(&follower.rng) % (uint64_t)count);
}

static void note_safe_end(void)
{
    const struct log *log = follower.story.log;
    if (log_state(log) == LOG_READY)
        follower.safe_end = follower.power ? log_durable_end(log) : log_written_end(log);
}

static void append(size_t value_bytes, int32_t epochs_on)
{
    struct model *model = &follower.model;
    const int32_t last = log_last_epoch(follower.story.log);
    model_append(model, &follower.story, model->end, (last < 0 ? 0 : last) + epochs_on,
                 1 + (int32_t)(value_bytes % 3), value_bytes);
}

/* Cuts, or begins again; done unless the world is used up. */
static void cut(int64_t offset, bool begins_again)
{
    struct story *story = &follower.story;
    story->woken = 0;
    follower.cuts = true;
    follower.cut = offset;
    follower.begins_again = begins_again;
    if (begins_again)
        log_reset(story->log, offset, &story->waiter);
    else
        log_truncate(story->log, offset, &story->waiter);
    for (int i = 0; i < 20 && story->woken == 0 && !world_is_used_up(story->world); i++) {
        world_run(story->world);
        world_advance_ms(story->world, 100);
    }
    if (story->woken == 0)
        return;
    ck_assert_int_eq(story->error, ERR_NONE);
    follower.cuts = false;
    if (begins_again)
        model_reset(&follower.model, offset);
    else
        model_truncate(&follower.model, offset);
    follower.safe_end = follower.model.end;
}

/* Starts the next process, and judges what it finds. */
static void judge(void)
{
    static struct model found;
    struct story *story = &follower.story;
    struct model *model = &follower.model;
    ck_assert_msg(story_boot(story) == LOG_READY, "the log is refused");
    if (!follower.cuts && model->start != log_start(story->log)) {
        ck_assert_int_ge(log_start(story->log), model->start);
        model->start = log_start(story->log);
    }
    ck_assert(model_scan(&found, story));
    static struct model cut_model;
    cut_model = *model;
    model_truncate(&cut_model, follower.cut);
    if (follower.cuts && (follower.begins_again || cut_model.count == 0) && found.count == 0) {
        /* Whatever it lost, it was about to lose; what it says of itself counts. */
        found.start = log_start(story->log);
        found.end = found.start;
        if (follower.begins_again && found.start == follower.cut && found.start != model->start)
            ck_assert_uint_eq(producers_count(&story->log->producers), 0);
    } else {
        int64_t safe_end = follower.safe_end;
        if (follower.cuts && safe_end > cut_model.end)
            safe_end = cut_model.end;
        ck_assert(model_begins(model, &found));
        ck_assert_msg(found.end >= safe_end, "%d of %d are left", (int)found.end, (int)safe_end);
    }
    ck_assert_int_eq(log_end(story->log), found.end);
    story_check_index_files(story);
    follower.cuts = false;
    *model = found;
    model_check(model, story);
    note_safe_end();
}

static void end_process(void)
{
    note_safe_end();
    if (follower.power)
        story_power_loss(&follower.story);
    else
        story_kill(&follower.story);
    judge();
}

static void follower_begin(uint64_t seed)
{
    follower = (struct follower){0};
    rng_init(&follower.rng, seed);
    story_begin(&follower.story, seed);
    world_set_order(follower.story.world, (enum world_order)(seed % 3));
    follower.story.settings.segment_bytes = 1500;
    follower.story.settings.index_interval_bytes = 300;
    follower.story.settings.delete_old = seed / 3 % 2 == 0;
}

/* Each is a cut in another situation. */
static const struct {
    const char *name;
    int64_t offset;
    bool begins_again;
    bool settled;
    bool flying; /* appends are under way */
    bool opened; /* the process before has ended in order */
} cuts[] = {
    {"in the last segment", 55, false, false, false, false},
    {"three segments before", 30, false, false, false, false},
    {"everything", 0, false, true, false, false},
    {"below the recovery point", 40, false, true, false, false},
    {"while appends are under way", 45, false, true, true, false},
    {"to begin again beyond the end", 1000, true, true, false, false},
    {"to begin again in the middle", 33, true, true, true, false},
    {"to begin again at the end", 60, true, false, false, false},
    {"to begin again at the end, of which the producers are saved", 60, true, false, false, true},
    {"to begin again at nothing", 0, true, true, false, false},
    {"to begin again below the start", 3, true, true, false, false},
};

#define CUTS (int)(sizeof(cuts) / sizeof(cuts[0]))

static void story_of(int number)
{
    struct story *story = &follower.story;
    for (int i = 0; i < 30; i++) {
        append(100 + (size_t)i * 7, i % 5 == 4);
        if (i % 3 == 0)
            world_run(story->world);
        if (i == 20 && cuts[number].settled) {
            world_run(story->world);
            world_advance_ms(story->world, 61000);
        }
    }
    if (!cuts[number].flying)
        world_run(story->world);
    if (cuts[number].opened) {
        story_close(story);
        ck_assert_int_eq(story_boot(story), LOG_READY);
    }
    if (number == CUTS - 1) {
        log_set_high_watermark(story->log, 20);
        log_delete_before(story->log, 17, &story->waiter);
        world_run(story->world);
        follower.model.start = 17;
    }
}

/* True when it was not over after so many effects of the cut and what follows it. */
static bool end_at(int number, uint64_t seed, uint64_t effects)
{
    struct story *story = &follower.story;
    follower_begin(seed);
    follower.power = seed % 4 != 0;
    ck_assert_int_eq(story_boot(story), LOG_READY);
    story_of(number);
    note_safe_end();
    world_allow(story->world, effects);
    cut(cuts[number].offset, cuts[number].begins_again);
    if (!follower.cuts) {
        for (int i = 0; i < 6 && log_state(story->log) == LOG_READY; i++) {
            append(100 + (size_t)i * 7, i == 4);
            world_run(story->world);
        }
    }
    const bool more = world_is_used_up(story->world);
    end_process();
    /* It goes on from there, and the next one finds the same. */
    for (int i = 0; i < 4; i++)
        append(90 + (size_t)i, i == 2);
    world_run(story->world);
    note_safe_end();
    model_check_producer(&follower.model, story);
    model_check(&follower.model, story);
    end_process();
    story_end(story);
    return more;
}

START_TEST(a_cut_is_made_or_not_or_in_part)
{
    for (uint64_t effects = 0; effects < EFFECTS_MAX; effects++) {
        if (!end_at(_i, effects, effects))
            return;
    }
    ck_abort_msg("%s: it does not end", cuts[_i].name);
}
END_TEST

static void step(void)
{
    struct story *story = &follower.story;
    struct model *model = &follower.model;
    const int64_t what = draw(100);
    if (what < 60) {
        append((size_t)(30 + draw(500)), draw(4) == 0);
        if (draw(2) == 0)
            world_turn(story->world);
        else if (draw(2) == 0)
            world_run(story->world);
    } else if (what < 65) {
        world_advance_ms(story->world, 61000);
    } else if (what < 78) {
        cut(model->start + draw(model->end - model->start + 2), false);
    } else if (what < 82) {
        cut(model->start + draw(2 * (model->end - model->start) + 20), true);
    } else if (what < 86) {
        world_run(story->world);
        log_set_high_watermark(story->log, model->start + draw(model->end - model->start + 1));
        model->start = log_delete_before(story->log, model->start + draw(30), &story->waiter);
        world_run(story->world);
    } else if (what < 92) {
        world_run(story->world);
        model_check(model, story);
    } else if (what < 95) {
        world_run(story->world);
        note_safe_end();
        story_close(story);
        judge();
    } else {
        follower.power = draw(2) == 0;
        note_safe_end();
        if (draw(2) == 0 && log_state(story->log) == LOG_READY) {
            world_allow(story->world, (uint64_t)draw(40));
            cut(model->start + draw(model->end - model->start + 2), draw(4) == 0);
        }
        end_process();
    }
}

START_TEST(a_follower_by_chance)
{
    follower_begin((uint64_t)_i * 7919 + 1);
    ck_assert_int_eq(story_boot(&follower.story), LOG_READY);
    for (int i = 0; i < STEPS; i++)
        step();
    world_run(follower.story.world);
    model_check_producer(&follower.model, &follower.story);
    model_check(&follower.model, &follower.story);
    story_end(&follower.story);
}
END_TEST

SUITE(truncate_crash)
{
    TCase *tcase = tcase_create("truncate_crash");
    tcase_add_loop_test(tcase, a_cut_is_made_or_not_or_in_part, 0, CUTS);
    tcase_add_loop_test(tcase, a_follower_by_chance, 0, RUNS);
    suite_add_tcase(suite, tcase);
}
