/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment's file, made when its first batch is to be written; for a partition's first segment
 * also the partition's folder with partition.metadata. The metadata is on the device before there
 * is a segment, so that a folder with records always says which topic they belong to. A folder that
 * was found with metadata alone may be that of a process which ended before its sync: the metadata
 * is written once more.
 *
 * A segment proves the ones before it durable, and recovery relies on that. With write caching one
 * may come earlier, and proves nothing: before it there is a file that says so, write-caching. The
 * setting would not do, which may have changed when the log is read again. The file goes with the
 * next recovery, which leaves everything durable.
 */
#include "core/log/checkpoint.h"
#include "core/log/recover.h"
#include "core/log/removal.h"

struct create {
    struct log *log;
    struct segment *segment;
    struct op op;
    uint64_t file;
    struct span path;
    struct log_waiter checkpoint; /* before a name of old is used again */
    struct wait name;             /* likewise, while the old folder still has it */
};

static void create_end(struct log *log, int error)
{
    struct create *create = log->create;
    log->create = NULL;
    log_path_free(log, create->path);
    memory_give(log->io->memory, MEMORY_STATE, create, sizeof(*create));
    if (log->recovery != NULL && log->recovery->truncating)
        reset_created(log, error);
    else if (error != ERR_NONE)
        append_fail(log, error);
    log_goes_on(log);
}

static void file_created(struct op *op, const struct completion *completion)
{
    struct create *create = container_of(op, struct create, op);
    if (completion->error == ERR_NONE)
        segment_opened(create->segment, create->file);
    create_end(create->log, completion->error);
}

static void file_create(struct create *create)
{
    struct log *log = create->log;
    create->path = log_path_of(log, create->segment->base_offset, ".log");
    create->file = io_new_file(log->io);
    io_open(log->io, &create->op, file_created, create->file, OPEN_CREATE_NEW,
            folder_number(log->folder), create->path);
}

static void cache_mark_synced(struct op *op, const struct completion *completion)
{
    struct create *create = container_of(op, struct create, op);
    struct log *log = create->log;
    if (completion->error == ERR_NONE) {
        file_create(create);
        return;
    }
    if (completion->error != ERR_LIMIT) /* which says that nothing was tried */
        folder_fail(log->folder, "cannot sync the folder", log->name);
    create_end(log, completion->error);
}

static void cache_mark_put(void *context, int error, struct span bytes)
{
    struct log *log = context;
    (void)bytes;
    if (error != ERR_NONE)
        create_end(log, error);
    else
        io_sync_folder(log->io, &log->create->op, cache_mark_synced, folder_number(log->folder),
                       log->name);
}

static void cache_mark_make(struct log *log)
{
    log->has_cache_mark = true; /* also if it fails on the way: a part of it may be there */
    const struct span path = log_path(log, CACHE_MARK);
    file_put(log->io, folder_number(log->folder), path, FILE_IN_PLACE, 0, SPAN("version: 0\n"),
             cache_mark_put, log);
    log_path_free(log, path);
}

/* The segments before this one may not be durable, and nothing says so yet. A log that is read
 * again has synced them, though it does not count them yet. */
static bool cache_mark_is_due(const struct log *log, const struct segment *segment)
{
    return log->recovery == NULL && !log->has_cache_mark &&
           log->segments[log->durable_segment] != segment;
}

static void metadata_put(void *context, int error, struct span bytes)
{
    struct log *log = context;
    (void)bytes;
    if (error != ERR_NONE) {
        create_end(log, error);
        return;
    }
    log->has_folder = true;
    log->metadata_durable = true;
    file_create(log->create);
}

static void folder_made(struct op *op, const struct completion *completion)
{
    struct create *create = container_of(op, struct create, op);
    struct log *log = create->log;
    if (completion->error != ERR_NONE && completion->error != ERR_EXISTS) {
        create_end(log, completion->error);
        return;
    }
    uint8_t metadata[PARTITION_METADATA_BYTES];
    partition_metadata_write(log->topic_id, metadata);
    const struct span path = log_path(log, "partition.metadata");
    file_put(log->io, folder_number(log->folder), path, FILE_IN_PLACE, 0,
             span_of(metadata, sizeof(metadata)), metadata_put, log);
    log_path_free(log, path);
}

/* True while a deleted log's folder has the name of this one's: what was made in it would go
 * too. */
static bool name_is_taken(const struct log *log)
{
    const struct folder *folder = log->folder;
    if (removal_holds_name(folder, log->name))
        return true;
    if (folder->deleting == 0)
        return false;
    for (const struct list *at = folder->logs.next; at != &folder->logs; at = at->next) {
        const struct log *other =
            (const struct log *)((const char *)at - offsetof(struct log, place));
        if (other->deleted && !other->delete_renamed && other != log &&
            span_equal(other->name, log->name))
            return true;
    }
    return false;
}

static void folder_make(struct create *create);

static void name_given_up(struct wait *wait, int error)
{
    struct create *create = container_of(wait, struct create, name);
    if (error != ERR_NONE)
        create_end(create->log, error);
    else
        folder_make(create);
}

static void folder_make(struct create *create)
{
    struct log *log = create->log;
    if (log->deleted) {
        create_end(log, ERR_NONE); /* nobody waits for it any more */
        return;
    }
    if (name_is_taken(log)) {
        wait_add(&log->folder->names_next, &create->name, name_given_up);
        return;
    }
    io_make_folder(log->io, &create->op, folder_made, folder_number(log->folder), log->name);
}

static void lines_written(struct log_waiter *waiter, int error)
{
    struct create *create = container_of(waiter, struct create, checkpoint);
    if (error != ERR_NONE)
        create_end(create->log, error_passes(error) ? error : ERR_IO);
    else
        folder_make(create);
}

void create_segment(struct log *log, struct segment *segment)
{
    CHECK(log->create == NULL && !segment->exists);
    struct create *create = memory_new(log->io->memory, struct create);
    create->log = log;
    create->segment = segment;
    log->create = create;
    log_hold(log);
    if (cache_mark_is_due(log, segment)) {
        cache_mark_make(log);
    } else if (log->metadata_durable) {
        file_create(create);
    } else if (log->folder->lines_forgotten) {
        create->checkpoint.wake = lines_written;
        folder_checkpoint(log->folder, &create->checkpoint);
    } else {
        folder_make(create);
    }
}

void create_free(struct log *log)
{
    if (log->create == NULL)
        return;
    if (wait_is_set(&log->create->name))
        list_remove(&log->create->name.place);
    log_path_free(log, log->create->path);
    memory_give(log->io->memory, MEMORY_STATE, log->create, sizeof(*log->create));
    log->create = NULL;
}
