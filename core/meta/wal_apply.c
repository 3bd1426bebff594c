/* SPDX-License-Identifier: Apache-2.0 */
/* How what is committed reaches the image: from memory while it is fresh, else from the log. */
#include "core/base/check.h"
#include "core/meta/wal_internal.h"
#include "core/wire/error.h"

/* Batches that were appended and are not committed yet are kept for when they are, up to so many
 * bytes: beyond it they are read back from the log. */
#define WAL_RECENT_BYTES_MAX ((size_t)16 * 1024 * 1024)

static void recent_free(struct wal *wal, struct recent *recent)
{
    list_remove(&recent->place);
    buffer_release(recent->buffer);
    wal->recent_bytes -= recent->length;
    memory_give(wal->io->memory, MEMORY_STATE, recent, sizeof(*recent));
}

static struct recent *recent_first(const struct wal *wal)
{
    return list_empty(&wal->recent) ? NULL : container_of(wal->recent.next, struct recent, place);
}

void wal_recent_add(struct wal *wal, struct buffer *buffer, const struct log_append *append)
{
    struct recent *recent = memory_new(wal->io->memory, struct recent);
    recent->buffer = buffer_hold(buffer);
    recent->batch = append->batch;
    recent->length = append->length;
    recent->base_offset = append->base_offset;
    recent->end_offset = append->last_offset + 1;
    list_append(&wal->recent, &recent->place);
    wal->recent_bytes += recent->length;
    while (wal->recent_bytes > WAL_RECENT_BYTES_MAX &&
           recent_first(wal)->end_offset <= log_written_end(wal->log))
        recent_free(wal, recent_first(wal));
}

void wal_recent_cut(struct wal *wal, int64_t end_offset)
{
    while (!list_empty(&wal->recent)) {
        struct recent *last = container_of(wal->recent.previous, struct recent, place);
        if (last->end_offset <= end_offset)
            return;
        recent_free(wal, last);
    }
}

struct span wal_recent_batch(const struct wal *wal, int64_t offset, struct buffer **ret_buffer)
{
    for (struct list *place = wal->recent.next; place != &wal->recent; place = place->next) {
        const struct recent *recent = container_of(place, struct recent, place);
        if (recent->base_offset == offset) {
            *ret_buffer = recent->buffer;
            return span_of(recent->batch, recent->length);
        }
    }
    return SPAN_NULL;
}

void wal_scan(struct wal *wal, struct log_scan *scan)
{
    log_scan(wal->log, scan);
}

void wal_watch(struct wal *wal, struct wal_watch *watch)
{
    wal->watch = watch;
}

/* Forgets what the image has already: after appends were lost it may be ahead of the log, and what
 * comes again was applied before. */
static void recent_pass(struct wal *wal)
{
    while (!list_empty(&wal->recent) && recent_first(wal)->end_offset <= wal->image->end_offset)
        recent_free(wal, recent_first(wal));
}

/* The checksum leaves out offset and epoch, which the leader gave. */
static void watch_batch(struct wal *wal, struct span batch)
{
    struct batch_info info;
    batch_info_read(batch.data, &info);
    if (wal->watch == NULL || batch_last_offset(&info) < wal->watch->base_offset)
        return;
    const bool is_it = info.base_offset == wal->watch->base_offset && info.crc == wal->watch->crc;
    wal->watch->result = is_it ? WATCH_HIT : WATCH_MISSED;
    wal->watch = NULL;
}

static int apply_batch(struct wal *wal, struct span batch)
{
    int64_t offset;
    const int error = image_apply_batch(wal->image, batch, &wal->arena, &offset);
    if (error != ERR_NONE)
        wal_tell_damage(wal, offset, error);
    else
        wal->suffix_bytes += batch.length;
    watch_batch(wal, batch);
    return error;
}

static int apply_scanned(struct log_scan *scan, struct span batch)
{
    return apply_batch(container_of(scan, struct wal, scan), batch);
}

static void apply_scan_done(struct log_scan *scan, int error)
{
    struct wal *wal = container_of(scan, struct wal, scan);
    wal->is_scanning = false;
    if (wal->state != WAL_READY) {
        wal_close_if_idle(wal);
        return; /* it goes on when the log was read again, or was cut */
    }
    if (error == ERR_NONE && wal->image->end_offset < scan->end_offset) {
        error = ERR_CORRUPT_MESSAGE; /* a gap: what is missing was committed, or nothing is */
        wal_tell_damage(wal, wal->image->end_offset, error);
    }
    if (error != ERR_NONE) {
        wal_fail(wal, error);
        return;
    }
    wal_apply(wal);
    wal_close_if_idle(wal);
}

/* Reads what is not in memory any more, or was there before this process. */
static void apply_scan(struct wal *wal, int64_t end_offset)
{
    wal->is_scanning = true;
    wal->scan = (struct log_scan){
        .offset = wal->image->end_offset,
        .end_offset = end_offset,
        .batch = apply_scanned,
        .done = apply_scan_done,
    };
    log_scan(wal->log, &wal->scan);
}

void wal_mark(struct wal *wal)
{
    const int64_t end = log_end(wal->log);
    log_set_high_watermark(wal->log, wal->image->end_offset < end ? wal->image->end_offset : end);
}

void wal_apply(struct wal *wal)
{
    int64_t end = log_end(wal->log);
    if (end > wal->commit_end)
        end = wal->commit_end;
    while (!wal->is_scanning && wal->state == WAL_READY && wal->image->end_offset < end) {
        recent_pass(wal);
        struct recent *recent = recent_first(wal);
        if (recent == NULL || recent->base_offset > wal->image->end_offset) {
            apply_scan(wal,
                       recent == NULL || recent->base_offset > end ? end : recent->base_offset);
            continue;
        }
        const int error = apply_batch(wal, span_of(recent->batch, recent->length));
        recent_free(wal, recent);
        if (error != ERR_NONE)
            wal_fail(wal, error);
    }
    if (wal->image->end_offset == wal->told_end)
        return;
    wal->told_end = wal->image->end_offset;
    wal_mark(wal);
    if (wal->state == WAL_READY)
        wal_snapshot_if_due(wal);
    wal->observer->applied(wal->observer);
}

void wal_commit(struct wal *wal, int64_t offset)
{
    CHECK(offset >= wal->commit_end);
    wal->commit_end = offset;
    if (wal->state == WAL_READY)
        wal_apply(wal);
}
