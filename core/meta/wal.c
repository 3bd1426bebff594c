/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/wal.h"

#include "core/base/check.h"
#include "core/meta/snapshot_load.h"
#include "core/meta/snapshot_store.h"
#include "core/wire/error.h"

/* What decoding one record may take beyond its bytes. */
#define WAL_ARENA_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* The id that Kafka gives its metadata log. */
static const struct uuid wal_log_id = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

struct wal {
    struct io *io;
    struct folder *folder;
    const struct codecs *codecs;
    struct image *image;
    struct wal_observer *observer;
    enum wal_state state;
    struct log *log;
    struct log_observer log_observer;
    struct log_waiter log_waiter;  /* for the log to be ready */
    struct log_waiter trim_waiter; /* for its start to move */
    bool is_trimming;
    struct log_waiter *boot_waiter;
    struct log_waiter *close_waiter;
    struct snapshot_load load;
    struct snapshot_store store;
    struct log_scan scan;
    struct arena arena;
    int32_t epoch;        /* under which we append */
    struct buffer *batch; /* WRITING: the one under way, which ends before write_end */
    uint32_t batch_length;
    int64_t write_end;
    uint64_t snapshot_bytes; /* after which a snapshot is due */
    uint64_t suffix_bytes;   /* of the log behind the newest snapshot */
};

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
    arena_init(&wal->arena, io->memory, MEMORY_STATE, WAL_ARENA_BYTES_MAX);
    return wal;
}

enum wal_state wal_state(const struct wal *wal)
{
    return wal->state;
}

/* Closes as soon as nothing is under way, if that was asked for. */
static bool close_if_idle(struct wal *wal)
{
    struct log_waiter *waiter = wal->close_waiter;
    if (waiter == NULL || (wal->state != WAL_READY && wal->state != WAL_FAILED) ||
        wal->store.is_busy || wal->is_trimming)
        return false;
    wal->close_waiter = NULL;
    wal->state = WAL_CLOSED;
    log_close(wal->log, waiter);
    return true;
}

static void wal_settled(struct wal *wal)
{
    if (!close_if_idle(wal))
        wal->observer->settled(wal->observer);
}

static void boot_end(struct wal *wal, int error)
{
    struct log_waiter *waiter = wal->boot_waiter;
    wal->boot_waiter = NULL;
    if (waiter != NULL)
        waiter->wake(waiter, error);
}

/* It cannot go on. While it boots the broker does not start; later every proposal is refused. */
static void wal_fail(struct wal *wal, int error)
{
    wal->state = WAL_FAILED;
    boot_end(wal, error);
    wal_settled(wal);
}

/* Whatever was lost under an epoch, nothing else is written under it. */
static void epoch_raise(struct wal *wal)
{
    const int32_t last = log_last_epoch(wal->log);
    if (wal->epoch < last)
        wal->epoch = last;
    if (wal->epoch < wal->image->epoch)
        wal->epoch = wal->image->epoch;
    wal->epoch++;
}

static void wal_settle(struct wal *wal)
{
    epoch_raise(wal);
    wal->state = WAL_READY;
    log_set_high_watermark(wal->log, wal->image->end_offset);
    boot_end(wal, ERR_NONE);
    wal_settled(wal);
}

/* The batch under way is applied, or will never be. */
static void batch_end(struct wal *wal, int error)
{
    if (wal->batch == NULL)
        return;
    buffer_release(wal->batch);
    wal->batch = NULL;
    wal->observer->written(wal->observer, error);
}

static int scan_batch(struct log_scan *scan, struct span batch)
{
    struct wal *wal = container_of(scan, struct wal, scan);
    int64_t offset;
    const int error = image_apply_batch(wal->image, batch, &wal->arena, &offset);
    if (error == ERR_NONE) {
        wal->suffix_bytes += batch.length;
        return ERR_NONE;
    }
    io_log(wal->io, LOG_ERROR,
           "the metadata log is damaged: folder=" WAL_LOG_NAME " offset=%lld error=%s "
           "mend=\"bring the folder back from a copy; to begin an empty cluster instead, move the "
           "data folders away\"",
           (long long)offset, error_name(error));
    return error;
}

static void scan_done(struct log_scan *scan, int error)
{
    struct wal *wal = container_of(scan, struct wal, scan);
    /* Where the log's own reading failed, its folder has said so. */
    if (error == ERR_NONE && wal->image->end_offset != log_end(wal->log))
        error = ERR_KAFKA_STORAGE_ERROR;
    if (error != ERR_NONE) {
        batch_end(wal, ERR_KAFKA_STORAGE_ERROR);
        wal_fail(wal, error);
        return;
    }
    batch_end(wal, wal->image->end_offset >= wal->write_end ? ERR_NONE : ERR_KAFKA_STORAGE_ERROR);
    wal_settle(wal);
}

/* Applies what the log holds beyond the image. */
static void scan_start(struct wal *wal)
{
    wal->scan = (struct log_scan){
        .offset = wal->image->end_offset,
        .end_offset = log_end(wal->log),
        .batch = scan_batch,
        .done = scan_done,
    };
    log_scan(wal->log, &wal->scan);
}

/* The log has to reach from the snapshot on, or from the very beginning. */
static bool log_fits_image(struct wal *wal)
{
    if (log_start(wal->log) <= wal->image->end_offset &&
        wal->image->end_offset <= log_end(wal->log))
        return true;
    io_log(wal->io, LOG_ERROR,
           "the metadata log does not fit its snapshot: folder=" WAL_LOG_NAME " log_start=%lld "
           "log_end=%lld snapshot_end=%lld mend=\"bring the folder back from a copy; to begin an "
           "empty cluster instead, move the data folders away\"",
           (long long)log_start(wal->log), (long long)log_end(wal->log),
           (long long)wal->image->end_offset);
    return false;
}

static void snapshot_loaded(struct snapshot_load *load, int error)
{
    struct wal *wal = container_of(load, struct wal, load);
    if (error == ERR_NONE && !log_fits_image(wal))
        error = ERR_INVALID_RECORD;
    if (error != ERR_NONE) {
        wal_fail(wal, error);
        return;
    }
    wal->store.ids = load->ids;
    wal->store.bytes = load->bytes;
    load->ids = (struct snapshot_ids){0};
    scan_start(wal);
}

static void log_is_ready(struct log_waiter *waiter, int error)
{
    struct wal *wal = container_of(waiter, struct wal, log_waiter);
    if (error != ERR_NONE) {
        if (wal->boot_waiter != NULL)
            io_log(
                wal->io, LOG_ERROR,
                "the metadata log cannot be read: folder=" WAL_LOG_NAME " error=%s "
                "mend=\"bring the folder back from a copy: without it every topic is forgotten\"",
                error_name(error));
        batch_end(wal, ERR_KAFKA_STORAGE_ERROR);
        wal_fail(wal, error);
        return;
    }
    if (wal->boot_waiter == NULL) { /* read again after a failed write */
        scan_start(wal);
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

int wal_append(struct wal *wal, struct meta_writer *writer)
{
    CHECK(wal->state == WAL_READY && writer->base_offset == log_end(wal->log));
    struct buffer *batch = meta_writer_batch(writer, wal->epoch, wal->io->wall_ms);
    struct batch_info info;
    batch_info_read(batch->data, &info);
    struct log_append append = {
        .buffer = batch,
        .batch = batch->data,
        .length = info.size_bytes,
        .leader_epoch = wal->epoch,
        .log_append_time_ms = -1,
        .info = &info,
    };
    const int error = log_append(wal->log, &append);
    if (error != ERR_NONE) {
        buffer_release(batch);
        return error;
    }
    CHECK(append.base_offset == writer->base_offset);
    wal->batch = batch;
    wal->batch_length = append.length;
    wal->write_end = append.last_offset + 1;
    wal->state = WAL_WRITING;
    return ERR_NONE;
}

static void trimmed(struct log_waiter *waiter, int error)
{
    (void)error; /* the next snapshot tries again */
    struct wal *wal = container_of(waiter, struct wal, trim_waiter);
    wal->is_trimming = false;
    close_if_idle(wal);
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
    close_if_idle(wal);
}

static void snapshot_if_due(struct wal *wal)
{
    const uint64_t due_bytes =
        wal->store.bytes > wal->snapshot_bytes ? wal->store.bytes : wal->snapshot_bytes;
    if (wal->suffix_bytes < due_bytes || wal->store.is_busy)
        return;
    wal->suffix_bytes = 0;
    snapshot_store_start(&wal->store, wal->image);
}

static void log_advanced(struct log_observer *observer)
{
    struct wal *wal = container_of(observer, struct wal, log_observer);
    if (wal->state != WAL_WRITING || log_durable_end(wal->log) < wal->write_end)
        return;
    int64_t offset;
    const struct span batch = span_of(wal->batch->data, wal->batch_length);
    const int error = image_apply_batch(wal->image, batch, &wal->arena, &offset);
    CHECK(error == ERR_NONE); /* we wrote it, by this very image */
    wal->suffix_bytes += batch.length;
    wal->state = WAL_READY;
    log_set_high_watermark(wal->log, wal->image->end_offset);
    batch_end(wal, ERR_NONE);
    snapshot_if_due(wal);
    wal_settled(wal);
}

/* What was under way is decided when the log was read again: it may have reached the disk. */
static void log_has_failed(struct log_observer *observer, int error)
{
    struct wal *wal = container_of(observer, struct wal, log_observer);
    if (wal->state != WAL_READY && wal->state != WAL_WRITING)
        return;
    io_log(wal->io, LOG_ERROR, "the metadata log failed: folder=" WAL_LOG_NAME " error=%s",
           error_name(error));
    wal->state = WAL_BOOTING;
    log_load(wal->log, &wal->log_waiter);
}

void wal_close(struct wal *wal, struct log_waiter *waiter)
{
    if (wal->log == NULL) {
        waiter->wake(waiter, ERR_NONE);
        return;
    }
    wal->close_waiter = waiter;
    close_if_idle(wal);
}

void wal_free(struct wal *wal)
{
    if (wal == NULL)
        return;
    buffer_release(wal->batch);
    snapshot_load_free(&wal->load);
    snapshot_store_free(&wal->store);
    arena_reset(&wal->arena);
    if (wal->log != NULL)
        log_free(wal->log);
    memory_give(wal->io->memory, MEMORY_STATE, wal, sizeof(*wal));
}
