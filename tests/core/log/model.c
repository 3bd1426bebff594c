/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/log/model.h"

#include "core/wire/error.h"

#define MUST(condition)                             \
    do {                                            \
        if (!(condition))                           \
            ck_abort_msg("not so: %s", #condition); \
    } while (0)

static void add(struct model *model, const struct model_batch *batch)
{
    MUST(model->count < MODEL_BATCHES_MAX);
    model->batches[model->count++] = *batch;
    model->end = batch->last_offset + 1;
}

int32_t model_epoch(const struct model *model)
{
    return model->count == 0 ? 0 : model->batches[model->count - 1].epoch;
}

int32_t model_sequence(const struct model *model)
{
    if (model->count == 0)
        return 0;
    const struct model_batch *last = &model->batches[model->count - 1];
    return last->sequence + (int32_t)(last->last_offset - last->base_offset) + 1;
}

void model_append(struct model *model, struct story *story, int64_t base_offset, int32_t epoch,
                  int32_t records, size_t value_bytes)
{
    const struct model_batch batch = {.base_offset = base_offset,
                                      .last_offset = base_offset + records - 1,
                                      .epoch = epoch,
                                      .sequence = model_sequence(model)};
    MUST(story_append_led(story, base_offset, epoch, records, value_bytes, batch.sequence) ==
         ERR_NONE);
    add(model, &batch);
}

void model_truncate(struct model *model, int64_t offset)
{
    if (offset >= model->end)
        return;
    while (model->count > 0 && model->batches[model->count - 1].last_offset >= offset)
        model->count--;
    model->end = model->count == 0 ? 0 : model->batches[model->count - 1].last_offset + 1;
    if (model->end <= model->start) {
        model->count = 0;
        model->end = model->start;
    }
}

void model_reset(struct model *model, int64_t offset)
{
    *model = (struct model){.start = offset, .end = offset};
}

static struct model *scanned;
static int scans_done;

static int scan_batch(struct log_scan *scan, struct span batch)
{
    struct batch_info info;
    (void)scan;
    batch_info_read(batch.data, &info);
    const struct model_batch found = {.base_offset = info.base_offset,
                                      .last_offset = batch_last_offset(&info),
                                      .epoch = info.leader_epoch,
                                      .sequence = info.base_sequence};
    add(scanned, &found);
    return ERR_NONE;
}

static void scan_done(struct log_scan *scan, int error)
{
    (void)scan;
    scans_done++;
    MUST(error == ERR_NONE);
}

bool model_scan(struct model *ret_model, struct story *story)
{
    struct log_scan scan = {.offset = log_start(story->log),
                            .end_offset = log_written_end(story->log),
                            .batch = scan_batch,
                            .done = scan_done};
    *ret_model = (struct model){.start = log_start(story->log), .end = log_start(story->log)};
    scanned = ret_model;
    scans_done = 0;
    log_scan(story->log, &scan);
    world_run(story->world);
    if (scans_done == 0)
        log_scan_cancel(&scan);
    return scans_done == 1;
}

/* The first batch that `start` leaves something of. */
static int first_of(const struct model *model, int64_t start)
{
    int first = 0;
    while (first < model->count && model->batches[first].last_offset < start)
        first++;
    return first;
}

bool model_begins(const struct model *whole, const struct model *part)
{
    const int first = first_of(whole, part->start);
    if (part->count > whole->count - first)
        return false;
    for (int i = 0; i < part->count; i++) {
        const struct model_batch *a = &whole->batches[first + i];
        const struct model_batch *b = &part->batches[i];
        if (a->base_offset != b->base_offset || a->last_offset != b->last_offset ||
            a->epoch != b->epoch || a->sequence != b->sequence)
            return false;
    }
    return true;
}

static void check_epochs(const struct model *model, const struct log *log)
{
    const int32_t most = model_epoch(model) + 3;
    /* An empty log may still have records below its start. */
    MUST(model->count == 0 || log_last_epoch(log) == model_epoch(model));
    for (int32_t epoch = 0; epoch <= most; epoch++) {
        int32_t found;
        int64_t end;
        int32_t expected = -1;
        int64_t expected_end = -1;
        log_epoch_end(log, -2, epoch, &found, &end);
        for (int i = first_of(model, model->start); i < model->count; i++) {
            if (model->batches[i].epoch <= epoch) {
                expected = model->batches[i].epoch;
                expected_end =
                    i + 1 < model->count ? model->batches[i + 1].base_offset : model->end;
            }
        }
        if (epoch > log_last_epoch(log) && log_last_epoch(log) >= 0)
            MUST(found == log_last_epoch(log) && end == log_end(log));
        else if (expected >= 0)
            MUST(found == expected && end == expected_end);
    }
}

void model_check(const struct model *model, struct story *story)
{
    static struct model found;
    MUST(log_end(story->log) == model->end);
    MUST(log_start(story->log) == model->start);
    MUST(model_scan(&found, story));
    MUST(model_begins(model, &found));
    MUST(found.end == model->end);
    check_epochs(model, story->log);
    if (model->count > 0) {
        story_check(story, 700);
        story_check(story, 1 << 20);
    }
}

void model_check_producer(struct model *model, struct story *story)
{
    struct log_append append;
    const int32_t next = model_sequence(model);
    if (model->count == 0)
        return; /* the log may know the producer by what lies below its start */
    const struct model_batch *last = &model->batches[model->count - 1];
    const int32_t records = (int32_t)(last->last_offset - last->base_offset) + 1;
    story->epoch = log_last_epoch(story->log) + 1;
    MUST(story_append_by(story, records, 7, 0, last->sequence, &append) == ERR_NONE);
    MUST(append.duplicate && append.base_offset == last->base_offset);
    MUST(story_append_by(story, 1, 7, 0, next + 1, &append) == ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    MUST(story_append_by(story, 1, 7, 0, next, &append) == ERR_NONE);
    MUST(!append.duplicate && append.base_offset == model->end);
    const struct model_batch batch = {
        append.base_offset,
        append.base_offset,
        story->epoch,
        next,
    };
    add(model, &batch);
    world_run(story->world);
}
