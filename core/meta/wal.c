/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/wal.h"

#include "core/base/check.h"
#include "core/meta/wal_internal.h"
#include "core/wire/error.h"

/* What decoding one record may take beyond its bytes. */
#define WAL_ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* The id that Kafka gives its metadata log. */
static const struct uuid wal_log_id = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

static void log_advanced(struct log_observer *observer);
static void log_has_failed(struct log_observer *observer, int error);

struct wal *wal_new(struct io *io, struct folder *folder, const struct codecs *codecs,
                    uint64_t snapshot_bytes, struct image *image, struct wal_observer *observer)
{
    struct wal *wal = memory_new(io->memory, struct wal);
    wal->io = io;
    wal->folder = folder;
    wal->codecs = codecs;
    wal->snapshot_bytes = snapshot_bytes;
    wal->image = image;
    wal->observer = observer;
    wal->log_observer.advanced = log_advanced;
    wal->log_observer.failed = log_has_failed;
    wal->load.io = io;
    wal->store.io = io;
    list_init(&wal->recent);
    arena_init(&wal->arena, io->memory, MEMORY_STATE, WAL_ARENA_BYTES_MAX);
    return wal;
}

enum wal_state wal_state(const struct wal *wal)
{
    return wal->state;
}

const struct log *wal_log(const struct wal *wal)
{
    return wal->log;
}

int32_t wal_epoch_before(const struct wal *wal, int64_t offset)
{
    if (offset > log_start(wal->log))
        return log_epoch_at(wal->log, offset - 1);
    for (uint32_t i = 0; i < wal->store.ids.count; i++) {
        if (wal->store.ids.items[i].offset == offset)
            return wal->store.ids.items[i].epoch;
    }
    return -1;
}

bool wal_newest_snapshot(const struct wal *wal, struct snapshot_id *ret_id)
{
    if (wal->store.ids.count == 0)
        return false;
    *ret_id = wal->store.ids.items[wal->store.ids.count - 1];
    return true;
}

void wal_close_if_idle(struct wal *wal)
{
    struct log_waiter *waiter = wal->close_waiter;
    if (waiter == NULL || (wal->state != WAL_READY && wal->state != WAL_FAILED) ||
        wal->store.is_busy || wal->is_trimming || wal->is_scanning)
        return;
    wal->close_waiter = NULL;
    wal->state = WAL_CLOSED;
    log_close(wal->log, waiter);
}

static void boot_end(struct wal *wal, int error)
{
    struct log_waiter *waiter = wal->boot_waiter;
    wal->boot_waiter = NULL;
    if (waiter != NULL)
        waiter->wake(waiter, error);
}

void wal_fail(struct wal *wal, int error)
{
    const bool was_booting = wal->boot_waiter != NULL;
    wal->state = WAL_FAILED;
    boot_end(wal, error);
    if (!was_booting)
        wal->observer->failed(wal->observer);
    wal_close_if_idle(wal);
}

void wal_tell_damage(struct wal *wal, int64_t offset, int error)
{
    io_log(wal->io, LOG_ERROR,
           "the metadata log is damaged: folder=" WAL_LOG_NAME " offset=%lld error=%s " WAL_MEND,
           (long long)offset, error_name(error));
}

static int boot_scanned(struct log_scan *scan, struct span batch)
{
    struct wal *wal = container_of(scan, struct wal, scan);
    const int error = wal->observer->batch(wal->observer, batch);
    if (error != ERR_NONE)
        wal_tell_damage(wal, (int64_t)get_be64(batch.data), error);
    return error;
}

static void boot_scan_done(struct log_scan *scan, int error)
{
    struct wal *wal = container_of(scan, struct wal, scan);
    wal->is_scanning = false;
    if (error != ERR_NONE) {
        wal_fail(wal, error);
        return;
    }
    wal->state = WAL_READY;
    wal->commit_end = wal->told_end = wal->image->end_offset;
    log_set_high_watermark(wal->log, wal->image->end_offset);
    boot_end(wal, ERR_NONE);
    wal_close_if_idle(wal);
}

/* What the log has where the snapshot ends was appended by another leader than what the snapshot
 * has there: they are two histories. */
static bool log_differs(const struct wal *wal)
{
    const int64_t end_offset = wal->image->end_offset;
    if (end_offset <= log_start(wal->log) || end_offset > log_end(wal->log))
        return false;
    const int32_t epoch = log_epoch_at(wal->log, end_offset - 1);
    return epoch >= 0 && epoch != wal->image->epoch;
}

/* The log has to reach from the snapshot on, or from the very beginning. */
static bool log_fits_image(struct wal *wal)
{
    if (log_start(wal->log) <= wal->image->end_offset &&
        wal->image->end_offset <= log_end(wal->log) && !log_differs(wal))
        return true;
    io_log(wal->io, LOG_ERROR,
           "the metadata log does not fit its snapshot: folder=" WAL_LOG_NAME " log_start=%lld "
           "log_end=%lld snapshot_end=%lld " WAL_MEND,
           (long long)log_start(wal->log), (long long)log_end(wal->log),
           (long long)wal->image->end_offset);
    return false;
}

/* Looks at what is behind the snapshot. */
static void boot_scan(struct wal *wal)
{
    wal->is_scanning = true;
    wal->scan = (struct log_scan){
        .offset = wal->image->end_offset,
        .end_offset = log_end(wal->log),
        .batch = boot_scanned,
        .done = boot_scan_done,
    };
    log_scan(wal->log, &wal->scan);
}

static void boot_log_reset(struct log_waiter *waiter, int error)
{
    struct wal *wal = container_of(waiter, struct wal, cut_waiter);
    if (error != ERR_NONE)
        wal_fail(wal, error);
    else
        boot_scan(wal);
}

static void snapshot_loaded(struct snapshot_load *load, int error)
{
    struct wal *wal = container_of(load, struct wal, load);
    const int64_t end_offset = wal->image->end_offset;
    if (error == ERR_NONE && load->bytes > 0)
        error = wal->observer->snapshot(wal->observer, end_offset, load->voters);
    const bool begins_anew = error == ERR_NONE &&
                             (log_end(wal->log) < end_offset || log_differs(wal)) &&
                             wal->observer->may_begin_anew(wal->observer);
    if (error == ERR_NONE && !begins_anew && !log_fits_image(wal))
        error = ERR_INVALID_RECORD;
    if (error != ERR_NONE) {
        wal_fail(wal, error);
        return;
    }
    wal->store.ids = load->ids;
    wal->store.bytes = load->bytes;
    load->ids = (struct snapshot_ids){0};
    if (!begins_anew) {
        boot_scan(wal);
        return;
    }
    wal->cut_waiter.wake = boot_log_reset;
    log_reset(wal->log, end_offset, &wal->cut_waiter);
}

/* It was read again after a failed write: what reached the disk stays. */
static void log_is_back(struct wal *wal)
{
    wal_recent_cut(wal, log_end(wal->log));
    wal->state = WAL_READY;
    wal->observer->found(wal->observer);
    wal_apply(wal);
    wal_close_if_idle(wal);
}

static void log_is_ready(struct log_waiter *waiter, int error)
{
    struct wal *wal = container_of(waiter, struct wal, log_waiter);
    if (error != ERR_NONE) {
        if (wal->boot_waiter != NULL)
            io_log(wal->io, LOG_ERROR,
                   "the metadata log cannot be read: folder=" WAL_LOG_NAME " error=%s " WAL_MEND,
                   error_name(error));
        wal_fail(wal, error);
        return;
    }
    if (wal->boot_waiter == NULL) {
        log_is_back(wal);
        return;
    }
    wal->load = (struct snapshot_load){
        .io = wal->io,
        .folder = folder_number(wal->folder),
        .path = SPAN(WAL_LOG_NAME),
        .image = wal->image,
        .done = snapshot_loaded,
    };
    snapshot_load_start(&wal->load);
}

static void snapshot_stored(struct snapshot_store *store, int error);

void wal_boot(struct wal *wal, struct log_waiter *waiter)
{
    const struct log_settings settings = {
        .segment_bytes = WAL_SEGMENT_BYTES,
        .segment_ms = -1,
        .retention_bytes = -1,
        .retention_ms = -1,
        .index_interval_bytes = WAL_INDEX_INTERVAL_BYTES,
        .segment_index_bytes = WAL_SEGMENT_INDEX_BYTES,
        .flush_messages = INT64_MAX,
        .flush_ms = -1,
        .producer_expiration_ms = -1,
        .never_anew = true,
    };
    wal->state = WAL_BOOTING;
    wal->boot_waiter = waiter;
    wal->store = (struct snapshot_store){
        .io = wal->io,
        .folder = folder_number(wal->folder),
        .path = SPAN(WAL_LOG_NAME),
        .done = snapshot_stored,
    };
    wal->log = log_new(wal->io, wal->folder, SPAN(WAL_LOG_NAME), wal_log_id, wal->codecs, &settings,
                       &wal->log_observer);
    wal->log_waiter.wake = log_is_ready;
    log_load(wal->log, &wal->log_waiter);
}

int wal_append(struct wal *wal, struct buffer *buffer, uint8_t *batch, uint32_t length)
{
    CHECK(wal->state == WAL_READY);
    struct batch_info info;
    batch_info_read(batch, &info);
    CHECK(info.size_bytes == length && info.base_offset == log_end(wal->log));
    struct log_append append = {
        .buffer = buffer,
        .batch = batch,
        .length = length,
        .info = &info,
    };
    const int error = log_append_led(wal->log, &append);
    if (error == ERR_NONE)
        wal_recent_add(wal, buffer, &append);
    return error;
}

static void trimmed(struct log_waiter *waiter, int error)
{
    (void)error; /* the next snapshot tries again */
    struct wal *wal = container_of(waiter, struct wal, trim_waiter);
    wal->is_trimming = false;
    wal_close_if_idle(wal);
}

/* Lets the part of the log go that the kept snapshots make needless. */
static void log_trim(struct wal *wal)
{
    const int64_t start = snapshot_store_log_start(&wal->store);
    if (log_state(wal->log) != LOG_READY || wal->is_trimming || start <= log_start(wal->log))
        return;
    wal->is_trimming = true;
    wal->trim_waiter.wake = trimmed;
    log_delete_before(wal->log, start, &wal->trim_waiter);
}

static void snapshot_stored(struct snapshot_store *store, int error)
{
    struct wal *wal = container_of(store, struct wal, store);
    if (error != ERR_NONE)
        io_log(wal->io, LOG_WARN, "a metadata snapshot could not be written: file=%s error=%s",
               store->name, error_name(error));
    else if (wal->close_waiter == NULL)
        log_trim(wal);
    wal_close_if_idle(wal);
}

void wal_snapshot_if_due(struct wal *wal)
{
    const uint64_t due_bytes =
        wal->store.bytes > wal->snapshot_bytes ? wal->store.bytes : wal->snapshot_bytes;
    /* Never of more than is durable here: after a power loss the log would end before it. */
    if (wal->suffix_bytes < due_bytes || wal->store.is_busy || wal->close_waiter != NULL ||
        log_durable_end(wal->log) < wal->image->end_offset)
        return;
    wal->suffix_bytes = 0;
    snapshot_store_start(&wal->store, wal->image, wal->observer->voters(wal->observer));
}

static void log_advanced(struct log_observer *observer)
{
    struct wal *wal = container_of(observer, struct wal, log_observer);
    if (wal->state != WAL_READY)
        return;
    /* What was lost may be here again, and nobody says once more that it is committed. */
    if (wal->image->end_offset < wal->commit_end)
        wal_apply(wal);
    if (wal->state == WAL_READY)
        wal->observer->durable(wal->observer);
}

/* What was under way is decided when the log was read again: it may have reached the disk. */
static void log_has_failed(struct log_observer *observer, int error)
{
    struct wal *wal = container_of(observer, struct wal, log_observer);
    if (wal->state != WAL_READY)
        return;
    io_log(wal->io, LOG_ERROR, "the metadata log failed: folder=" WAL_LOG_NAME " error=%s",
           error_name(error));
    wal->state = WAL_LOST;
    wal->observer->lost(wal->observer);
    log_load(wal->log, &wal->log_waiter);
}

void wal_close(struct wal *wal, struct log_waiter *waiter)
{
    if (wal->log == NULL) {
        waiter->wake(waiter, ERR_NONE);
        return;
    }
    wal->close_waiter = waiter;
    wal_close_if_idle(wal);
}

void wal_free(struct wal *wal)
{
    if (wal == NULL)
        return;
    wal_recent_cut(wal, -1);
    snapshot_load_free(&wal->load);
    snapshot_store_free(&wal->store);
    arena_reset(&wal->arena);
    memory_give(wal->io->memory, MEMORY_STATE, wal->installing, wal->installing_bytes);
    if (wal->log != NULL)
        log_free(wal->log);
    memory_give(wal->io->memory, MEMORY_STATE, wal, sizeof(*wal));
}
