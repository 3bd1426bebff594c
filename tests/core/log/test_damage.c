/* SPDX-License-Identifier: Apache-2.0 */
/* What recovery makes of bytes that are not as they were written. */
#include <stdlib.h>

#include "core/base/rng.h"
#include "core/log/recover.h"
#include "core/records/batch.h"
#include "core/wire/error.h"
#include "tests/core/log/story.h"

enum { BATCHES = 20, RECORDS = 2 };

static struct story story;
static size_t batch_bytes;

static void set_up(void)
{
    story_begin(&story, 1);
    story.settings.index_interval_bytes = 1000;
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    for (int i = 0; i < BATCHES; i++)
        story_write(&story, RECORDS, 300);
    batch_bytes = (size_t)(log_size_bytes(story.log) / BATCHES);
}

static void tear_down(void)
{
    story_end(&story);
}

/* Changes the segment's file between two processes: cut to `length`, `count` bytes at `at` zeroed
 * or (count < 0) turned over. */
static void change_file(size_t length, size_t at, int count)
{
    const struct span bytes = world_file(story.world, story_path(0, ".log"));
    uint8_t *copy = malloc(bytes.length + 100000);
    memset(copy, 0, bytes.length + 100000);
    memcpy(copy, bytes.data, bytes.length);
    for (size_t i = at; count > 0 && i < at + (size_t)count; i++)
        copy[i] = 0;
    for (size_t i = at; count < 0 && i < at + (size_t)-count; i++)
        copy[i] ^= 0x55;
    world_put_file(story.world, story_path(0, ".log"), span_of(copy, length));
    free(copy);
}

#define CUT_BATCH 1000000

struct harm {
    const char *name;
    int batch;        /* in which batch, from the end */
    int at;           /* where in it */
    int count;        /* see change_file */
    int cut;          /* bytes off the file's end; negative: zeros added; CUT_BATCH: a whole one */
    bool clean;       /* the process had ended in order */
    int want_batches; /* -1: refused */
};

static const struct harm harms[] = {
    {"nothing", 0, 0, 0, 0, false, BATCHES},
    {"the last byte is missing", 0, 0, 0, 1, false, BATCHES - 1},
    {"only a header is left", 0, 0, 0, 600, false, BATCHES - 1},
    {"less than a header is left", 0, 0, 0, 670, false, BATCHES - 1},
    {"three batches are missing", 0, 0, 0, 2000, false, BATCHES - 3},
    {"zeros follow", 0, 0, 0, -5000, false, BATCHES},
    {"a few zeros follow", 0, 0, 0, -7, false, BATCHES},
    {"the last batch is zeros", 1, 0, 700, 0, false, BATCHES - 1},
    {"the last batch has a lost sector", 1, 100, 512, 0, false, BATCHES - 1},
    {"the last batch is damaged", 1, 200, -3, 0, false, BATCHES - 1},
    {"a hole, as of a lost write, before the last batches", 5, 0, 1400, 0, false, BATCHES - 5},
    {"a batch in the middle is damaged", 5, 200, -1, 0, false, -1},
    {"its header is damaged", 5, BATCH_AT_LENGTH, -4, 0, false, -1},
    {"its magic is damaged", 5, BATCH_AT_MAGIC, -1, 0, false, -1},
    {"its base offset is damaged", 5, BATCH_AT_BASE_OFFSET + 7, -1, 0, false, -1},
    {"the last one's base offset is damaged", 1, BATCH_AT_BASE_OFFSET + 6, -1, 0, false, -1},
    {"the first batch is damaged", BATCHES, 200, -1, 0, false, -1},
    {"cut after an orderly end", 0, 0, 0, 1, true, -1},
    {"a whole batch is gone", 0, 0, 0, CUT_BATCH, false, BATCHES - 1},
    {"a whole batch is gone after an orderly end", 0, 0, 0, CUT_BATCH, true, -1},
    {"damaged after an orderly end", 1, 200, -1, 0, true, -1},
    {"zeros follow an orderly end", 0, 0, 0, -5000, true, BATCHES},
};

static void check_harm(const struct harm *harm)
{
    if (harm->clean)
        story_close(&story);
    else
        story_kill(&story);
    const size_t size = batch_bytes * BATCHES;
    const size_t at = size - batch_bytes * (size_t)harm->batch + (size_t)harm->at;
    int count = harm->count;
    if (count > 0 && at + (size_t)count > size)
        count = (int)(size - at);
    const int64_t cut = harm->cut == CUT_BATCH ? (int64_t)batch_bytes : harm->cut;
    change_file((size_t)((int64_t)size - cut), at, count);
    const enum log_state state = story_boot(&story);
    if (harm->want_batches < 0) {
        ck_assert_msg(state == LOG_OFFLINE, "%s: not refused", harm->name);
        ck_assert(!folder_is_offline(story.folder));
        ck_assert(world_logged(story.world, "topic-0"));
        ck_assert(world_logged(story.world, "segment=00000000000000000000.log"));
        /* Nothing was taken away: the mend is the operator's. */
        ck_assert_uint_eq(world_file(story.world, story_path(0, ".log")).length,
                          (size_t)((int64_t)size - cut));
        return;
    }
    ck_assert_msg(state == LOG_READY, "%s: refused", harm->name);
    ck_assert_msg(log_end(story.log) == harm->want_batches * RECORDS, "%s: ends at %d", harm->name,
                  (int)log_end(story.log));
    ck_assert_uint_eq(world_file(story.world, story_path(0, ".log")).length,
                      batch_bytes * (size_t)harm->want_batches);
    story_check(&story, 1000);
    story_write(&story, RECORDS, 300);
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), (harm->want_batches + 1) * RECORDS);
    story_check(&story, 1 << 20);
}

START_TEST(damage_is_told_from_a_torn_tail)
{
    check_harm(&harms[_i]);
}
END_TEST

START_TEST(a_tail_beyond_the_checkpoint_is_synced_before_it_is_served)
{
    story.settings.write_caching = true;
    log_configure(story.log, &story.settings);
    story_write(&story, RECORDS, 300);
    ck_assert_int_lt(log_durable_end(story.log), log_end(story.log));
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), (BATCHES + 1) * RECORDS);
    ck_assert_int_eq(log_durable_end(story.log), log_end(story.log));
    story_power_loss(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), (BATCHES + 1) * RECORDS);
}
END_TEST

START_TEST(restart_reads_only_the_tail)
{
    for (int i = 0; i < 70; i++)
        story_write(&story, 1, 1 << 20);
    const int64_t end = log_end(story.log);
    story_kill(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), end);
    ck_assert_uint_lt(world_count(story.world, EFFECT_READ), 250); /* of 256 KiB: less than all */
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), end);
    ck_assert_uint_lt(world_count(story.world, EFFECT_READ), 10);
    ck_assert_uint_eq(world_count(story.world, EFFECT_SYNC), 0);
    story_check(&story, 1 << 20);
}
END_TEST

START_TEST(an_interval_moves_the_recovery_point)
{
    world_advance_ms(story.world, 61000);
    story_kill(&story);
    /* Whatever is below it must be there. */
    change_file(batch_bytes * BATCHES - 1, 0, 0);
    ck_assert_int_eq(story_boot(&story), LOG_OFFLINE);
    ck_assert(world_logged(story.world, "durable"));
}
END_TEST

/* Files of a folder that recovery has to deal with. */
START_TEST(files_of_no_use_are_removed)
{
    static const char *const names[] = {
        "topic-0/00000000000000000007.index",       "topic-0/00000000000000000007.timeindex",
        "topic-0/00000000000000000009.log.deleted", "topic-0/00000000000000000000.log.cleaned",
        "topic-0/leader-epoch-checkpoint.tmp",      "topic-0/00000000000000009999.snapshot",
    };
    story_kill(&story);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        world_put_file(story.world, names[i], SPAN("rubbish"));
    world_put_file(story.world, "topic-0/00000000000000000000.log.swap", SPAN("rubbish"));
    world_put_file(story.world, "topic-0/unknown", SPAN("rubbish"));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), BATCHES * RECORDS);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert(span_is_null(world_file(story.world, names[i])));
    ck_assert(!span_is_null(world_file(story.world, "topic-0/unknown")));
}
END_TEST

START_TEST(missing_segments_are_refused)
{
    story_close(&story);
    world_remove(story.world, story_path(0, ".log"));
    ck_assert_int_eq(story_boot(&story), LOG_OFFLINE);
    ck_assert(world_logged(story.world, "segments are lost"));
}
END_TEST

/* A start that was noted, and no segment yet: nothing that a recovery point could be of. */
START_TEST(a_log_without_a_segment_starts_after_each_end)
{
    story_close(&story);
    world_remove(story.world, story_path(0, ".log"));
    world_remove(story.world, "recovery-point-offset-checkpoint");
    world_put_file(story.world, "log-start-offset-checkpoint", SPAN("0\n1\ntopic 0 5\n"));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        ck_assert_int_eq(log_start(story.log), 5);
        ck_assert_int_eq(log_end(story.log), 5);
        story_close(&story);
    }
}
END_TEST

START_TEST(a_missing_segment_between_others_is_refused)
{
    story.settings.segment_bytes = 2000;
    log_configure(story.log, &story.settings);
    for (int i = 0; i < BATCHES; i++)
        story_write(&story, RECORDS, 300);
    story_kill(&story);
    world_remove(story.world, story_path(44, ".log"));
    world_remove(story.world, "recovery-point-offset-checkpoint");
    ck_assert_int_eq(story_boot(&story), LOG_OFFLINE);
}
END_TEST

START_TEST(lost_small_files_are_found_again)
{
    static const char *const names[] = {
        "topic-0/leader-epoch-checkpoint", "topic-0/00000000000000000040.snapshot",
        "recovery-point-offset-checkpoint", "topic-0/00000000000000000000.index",
        "topic-0/00000000000000000000.timeindex"};
    struct log_append append;
    story_close(&story);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(story_append_by(&story, 3, 7, 1, 0, &append), ERR_NONE);
    world_run(story.world);
    const int32_t epoch = log_last_epoch(story.log);
    ck_assert_int_eq(epoch, 2);
    story_close(&story);
    const bool torn = _i >= 5;
    const char *name = names[_i % 5];
    char snapshot[64];
    if (strstr(name, "snapshot") != NULL) {
        memcpy(snapshot, story_path(43, ".snapshot"), sizeof(snapshot));
        name = snapshot;
    }
    const struct span bytes = world_file(story.world, name);
    ck_assert(!span_is_null(bytes));
    if (torn)
        world_put_file(story.world, name, span_of(bytes.data, bytes.length - 1));
    else
        world_remove(story.world, name);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), 43);
    ck_assert_int_eq(log_last_epoch(story.log), epoch);
    int32_t found;
    int64_t end;
    log_epoch_end(story.log, 9, 1, &found, &end);
    ck_assert_int_eq(found, 1);
    ck_assert_int_eq(end, 40);
    ck_assert_int_eq(story_append_by(&story, 3, 7, 1, 0, &append), ERR_NONE);
    ck_assert(append.duplicate);
    ck_assert_int_eq(append.base_offset, 40);
    ck_assert_int_eq(story_append_by(&story, 3, 7, 1, 4, &append),
                     ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    ck_assert_int_eq(story_append_by(&story, 3, 7, 1, 3, &append), ERR_NONE);
    story_check(&story, 1);
}
END_TEST

/* A sector that ends within a batch's base offset is lost: all but that is as it was. */
START_TEST(a_lost_base_offset_is_a_torn_tail)
{
    for (size_t value_bytes = 100;; value_bytes++) {
        tear_down();
        story_begin(&story, 1);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        for (int i = 0; i < BATCHES; i++)
            story_write(&story, 1, value_bytes);
        batch_bytes = (size_t)log_size_bytes(story.log) / BATCHES;
        size_t batch = 3;
        while (batch < BATCHES && (batch_bytes * batch) % 512 != (size_t)_i)
            batch++;
        if (batch == BATCHES)
            continue;
        story_kill(&story);
        change_file(batch_bytes * BATCHES, batch_bytes * batch, 512 - _i);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        ck_assert_int_eq(log_end(story.log), (int64_t)batch);
        story_check(&story, 1 << 20);
        return;
    }
}
END_TEST

/* A lost sector held a whole batch and the first bytes of the next one's base offset, which are
 * zeros anyway: that batch is as it was written. */
START_TEST(a_lost_sector_may_end_in_a_good_batch)
{
    for (size_t value_bytes = 10;; value_bytes++) {
        tear_down();
        story_begin(&story, 1);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        for (int i = 0; i < BATCHES; i++)
            story_write(&story, 1, value_bytes);
        batch_bytes = (size_t)log_size_bytes(story.log) / BATCHES;
        size_t batch = 3;
        while (batch < BATCHES - 1 && (batch_bytes * (batch + 1)) % 512 != (size_t)(512 - _i) % 512)
            batch++;
        ck_assert_uint_lt(batch_bytes, 512);
        if (batch == BATCHES - 1)
            continue;
        story_kill(&story);
        change_file(batch_bytes * BATCHES, batch_bytes * batch, (int)batch_bytes + _i);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        ck_assert_int_eq(log_end(story.log), (int64_t)batch);
        story_check(&story, 1 << 20);
        return;
    }
}
END_TEST

/* The sync of a batch failed, and its page was dropped before the next write to it: the bytes are
 * zeros amidst a sector whose other bytes arrived. */
START_TEST(a_write_lost_within_a_sector_is_a_torn_tail)
{
    tear_down();
    story_begin(&story, 1);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    for (int i = 0; i < BATCHES; i++)
        story_write(&story, 1, 10);
    batch_bytes = (size_t)log_size_bytes(story.log) / BATCHES;
    size_t batch = 3;
    while (batch_bytes * batch / 512 != (batch_bytes * (batch + 2) - 1) / 512)
        batch++;
    ck_assert_uint_lt(batch, BATCHES - 2);
    story_kill(&story);
    change_file(batch_bytes * BATCHES, batch_bytes * batch, (int)batch_bytes);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), (int64_t)batch);
    story_check(&story, 1 << 20);
}
END_TEST

/* The same, of a batch of which one sector had arrived: the rest of it is zeros, up to the next
 * write to its last sector. */
START_TEST(a_write_lost_in_its_last_sector_is_a_torn_tail)
{
    const size_t batch = (size_t)_i;
    const size_t end = batch_bytes * (batch + 1);
    story_kill(&story);
    change_file(batch_bytes * BATCHES, end - end % 512, (int)(end % 512));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), (int64_t)(batch * RECORDS));
    story_check(&story, 1 << 20);
}
END_TEST

/* A batch whose begin is lost, and among whose other bytes many look as a batch begins. */
START_TEST(a_large_torn_batch_is_a_torn_tail)
{
    const size_t length = batch_bytes * BATCHES;
    const size_t torn = 8 << 20;
    uint8_t *bytes = calloc(1, length + torn);
    struct rng rng;
    rng_init(&rng, 1);
    memcpy(bytes, world_file(story.world, story_path(0, ".log")).data, length);
    for (size_t at = length + 1024; at < length + torn; at++)
        bytes[at] = (uint8_t)rng_next(&rng);
    story_kill(&story);
    world_put_file(story.world, story_path(0, ".log"), span_of(bytes, length + torn));
    free(bytes);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), BATCHES * RECORDS);
    story_check(&story, 1 << 20);
}
END_TEST

/* The size of a value that makes a batch of one record fill whole sectors. */
static size_t value_of_sectors(size_t batch_size)
{
    for (size_t bytes = batch_size - 100;; bytes++) {
        struct story other;
        story_begin(&other, 1);
        ck_assert_int_eq(story_boot(&other), LOG_READY);
        story_write(&other, 1, bytes);
        const uint64_t size_bytes = log_size_bytes(other.log);
        story_end(&other);
        if (size_bytes == batch_size)
            return bytes;
    }
}

/* Bytes behind a cut must not come back when new ones were written in its place. */
START_TEST(what_was_cut_stays_cut)
{
    const size_t value_bytes = value_of_sectors(1024);
    for (uint64_t seed = 0; seed < 300; seed++) {
        tear_down();
        story_begin(&story, seed);
        story.settings.write_caching = true;
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        for (int i = 0; i < BATCHES; i++) {
            story_write(&story, 1, value_bytes);
            if (i == 9 && _i == 1) /* the cut is at the recovery point, or beyond it */
                world_advance_ms(story.world, 61000);
        }
        story_kill(&story);
        change_file(1024 * BATCHES, 10240, 1024);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        ck_assert_int_eq(log_end(story.log), 10);
        world_hold(story.world, EFFECT_SYNC, ".log");
        story_write(&story, 1, value_bytes);
        story_power_loss(&story);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        ck_assert_int_ge(log_end(story.log), 10);
        ck_assert_int_le(log_end(story.log), 11);
        story_check(&story, 1 << 20);
    }
}
END_TEST

/* The same for what a write that failed had left. */
START_TEST(what_a_failed_write_left_stays_cut)
{
    const size_t value_bytes = value_of_sectors(512);
    for (uint64_t seed = 0; seed < 1000; seed++) {
        tear_down();
        story_begin(&story, seed);
        story.settings.write_caching = true;
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        for (int i = 0; i < 10; i++)
            story_write(&story, 1, value_bytes);
        world_advance_ms(story.world, 61000);
        world_fail(story.world, EFFECT_WRITE, ".log", 0, 1, ERR_NO_SPACE, 1024);
        for (int i = 0; i < 3; i++)
            story_append(&story, 1, value_bytes);
        world_run(story.world);
        ck_assert_int_eq(log_state(story.log), LOG_READY);
        ck_assert_int_eq(log_end(story.log), 10);
        story.epoch++;
        world_hold(story.world, EFFECT_SYNC, ".log");
        story_write(&story, 1, value_bytes);
        story_power_loss(&story);
        ck_assert_int_eq(story_boot(&story), LOG_READY);
        ck_assert_int_ge(log_end(story.log), 10);
        ck_assert_int_le(log_end(story.log), 11);
        story_check(&story, 1 << 20);
    }
}
END_TEST

/* A recovery point waits for a sync, and the index that it is to save turns out to be wrong and its
 * segment is closed meanwhile. */
START_TEST(an_index_is_given_up_before_it_is_saved)
{
    story.settings.segment_bytes = 100000;
    log_configure(story.log, &story.settings);
    for (int i = 0; i < 100; i++)
        story_write(&story, RECORDS, 300);
    world_hold(story.world, EFFECT_SYNC, ".log");
    story_append(&story, RECORDS, 300);
    world_run(story.world);
    world_advance_ms(story.world, 61000);
    const size_t size = world_file(story.world, story_path(0, ".log")).length;
    for (size_t batch = 1; batch < 30; batch++)
        change_file(size, batch * batch_bytes + BATCH_AT_MAGIC, -1);
    story_read(&story, 40, 42, 1000, true);
    for (int i = 0; i < 100; i++)
        story_append(&story, RECORDS, 300);
    world_run(story.world);
    world_release(story.world);
    world_run(story.world);
    ck_assert_int_eq(log_durable_end(story.log), (BATCHES + 201) * RECORDS);
    ck_assert(span_is_null(world_file(story.world, story_path(0, ".index"))));
}
END_TEST

static int damage_error;
static int damage_seen;

static int scanned(struct log_scan *scan, struct span batch)
{
    (void)scan;
    (void)batch;
    damage_seen++;
    return ERR_NONE;
}

static void scan_ended(struct log_scan *scan, int error)
{
    (void)scan;
    damage_error = error;
}

/* Its segment is closed, and its file is lost: it has to be told from the batches, and some of them
 * say that they are elsewhere. Who reads those before them does not mind. */
START_TEST(an_index_ends_before_damage)
{
    static const size_t bytes_at[] = {1, 3, 7};
    story.settings.segment_bytes = (int32_t)(BATCHES * batch_bytes);
    log_configure(story.log, &story.settings);
    for (int i = 0; i < BATCHES; i++)
        story_write(&story, RECORDS, 300);
    world_advance_ms(story.world, 61000);
    story_close(&story);
    const size_t size = world_file(story.world, story_path(0, ".log")).length;
    ck_assert_uint_eq(size, BATCHES * batch_bytes);
    for (size_t batch = 10 + (size_t)_i % 2; batch < 20; batch += 2)
        change_file(size, batch * batch_bytes + BATCH_AT_BASE_OFFSET + bytes_at[_i / 2], -1);
    world_put_file(story.world, story_path(0, ".index"), SPAN("rubbish"));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    for (int i = 0; i < 10; i++) {
        ck_assert(!span_is_null(story_read(&story, (int64_t)i * RECORDS, INT64_MAX, 1, true)));
        ck_assert_int_eq(story.error, ERR_NONE);
    }
    static struct log_scan scan;
    scan = (struct log_scan){
        .offset = 4, .end_offset = BATCHES * RECORDS, .batch = scanned, .done = scan_ended};
    damage_seen = 0;
    log_scan(story.log, &scan);
    world_run(story.world);
    ck_assert_int_eq(damage_error, ERR_CORRUPT_MESSAGE);
    ck_assert_int_eq(damage_seen, 10 + _i % 2 - 4 / RECORDS);
}
END_TEST

/* A snapshot may be newer than the recovery point, and than what is left of the log. */
START_TEST(producers_of_a_lost_tail_are_forgotten)
{
    struct log_append append;
    story.settings.write_caching = true;
    log_configure(story.log, &story.settings);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(story_append_by(&story, 1, 7, 0, i, &append), ERR_NONE);
        world_run(story.world);
    }
    story_close(&story);
    world_remove(story.world, "recovery-point-offset-checkpoint");
    const size_t size = world_file(story.world, story_path(0, ".log")).length;
    change_file(size - 10, 0, 0);
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_end(story.log), BATCHES * RECORDS + 2);
    ck_assert_int_eq(story_append_by(&story, 1, 7, 0, 2, &append), ERR_NONE);
    ck_assert(!append.duplicate);
    ck_assert_int_eq(story_append_by(&story, 1, 7, 0, 2, &append), ERR_NONE);
    ck_assert(append.duplicate);
}
END_TEST

/* Epochs are written when they begin, maybe before the first record of theirs is. */
START_TEST(epochs_beyond_the_end_are_forgotten)
{
    story_kill(&story);
    world_put_file(story.world, "topic-0/leader-epoch-checkpoint", SPAN("0\n2\n1 0\n7 41\n"));
    ck_assert_int_eq(story_boot(&story), LOG_READY);
    ck_assert_int_eq(log_last_epoch(story.log), 1);
}
END_TEST

SUITE(damage)
{
    TCase *tcase = tcase_create("damage");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, damage_is_told_from_a_torn_tail, 0,
                        sizeof(harms) / sizeof(harms[0]));
    tcase_add_test(tcase, a_tail_beyond_the_checkpoint_is_synced_before_it_is_served);
    tcase_add_test(tcase, restart_reads_only_the_tail);
    tcase_add_test(tcase, an_interval_moves_the_recovery_point);
    tcase_add_test(tcase, files_of_no_use_are_removed);
    tcase_add_test(tcase, missing_segments_are_refused);
    tcase_add_test(tcase, a_log_without_a_segment_starts_after_each_end);
    tcase_add_loop_test(tcase, what_was_cut_stays_cut, 0, 2);
    tcase_add_test(tcase, what_a_failed_write_left_stays_cut);
    tcase_add_loop_test(tcase, a_lost_base_offset_is_a_torn_tail, 496, 505);
    tcase_add_loop_test(tcase, a_lost_sector_may_end_in_a_good_batch, 1, 8);
    tcase_add_test(tcase, a_write_lost_within_a_sector_is_a_torn_tail);
    tcase_add_loop_test(tcase, a_write_lost_in_its_last_sector_is_a_torn_tail, 1, BATCHES - 1);
    tcase_add_test(tcase, a_large_torn_batch_is_a_torn_tail);
    tcase_add_test(tcase, epochs_beyond_the_end_are_forgotten);
    tcase_add_test(tcase, an_index_is_given_up_before_it_is_saved);
    tcase_add_loop_test(tcase, an_index_ends_before_damage, 0, 6);
    tcase_add_test(tcase, producers_of_a_lost_tail_are_forgotten);
    tcase_add_test(tcase, a_missing_segment_between_others_is_refused);
    tcase_add_loop_test(tcase, lost_small_files_are_found_again, 0, 10);
    suite_add_tcase(suite, tcase);
}
