/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/snapshot_store.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/wire/error.h"

/* One write asks for no more than this, so that others get their turn at the disk. */
#define STORE_WRITE_BYTES_MAX (1024 * 1024)

static struct snapshot_store *store_of(struct op *op)
{
    return container_of(op, struct snapshot_store, op);
}

static void block_give(struct snapshot_store *store)
{
    memory_give(store->io->memory, MEMORY_STATE, store->block, store->capacity);
    store->block = NULL;
    store->capacity = 0;
}

void snapshot_store_free(struct snapshot_store *store)
{
    block_give(store);
    snapshot_ids_free(&store->ids, store->io->memory);
}

int64_t snapshot_store_log_start(const struct snapshot_store *store)
{
    return store->ids.count < SNAPSHOTS_KEPT
               ? 0
               : store->ids.items[store->ids.count - SNAPSHOTS_KEPT].offset;
}

static void path_make(const struct snapshot_store *store, struct snapshot_id id, const char *suffix,
                      char out[SNAPSHOT_PATH_BYTES])
{
    char name[SNAPSHOT_NAME_BYTES];
    snapshot_name(id, name);
    const size_t length =
        format_text(out, SNAPSHOT_PATH_BYTES, "%.*s/%s%s", SPAN_ARGS(store->path), name, suffix);
    CHECK(length < SNAPSHOT_PATH_BYTES);
}

static void store_finish(struct snapshot_store *store, int error)
{
    block_give(store);
    store->is_busy = false;
    store->done(store, error);
}

static void prune_next(struct snapshot_store *store);

static void old_removed(struct op *op, const struct completion *completion)
{
    struct snapshot_store *store = store_of(op);
    /* One that cannot be removed only takes up room; the next start finds it and tries again. */
    if (completion->error != ERR_NONE)
        io_log(store->io, LOG_WARN, "an old metadata snapshot stays: file=%s error=%s", store->name,
               error_name(completion->error));
    snapshot_ids_remove(&store->ids, 0);
    prune_next(store);
}

static void prune_next(struct snapshot_store *store)
{
    if (store->ids.count <= SNAPSHOTS_KEPT) {
        store_finish(store, ERR_NONE);
        return;
    }
    path_make(store, store->ids.items[0], "", store->name);
    io_remove(store->io, &store->op, old_removed, store->folder, span_text(store->name));
}

static void folder_synced(struct op *op, const struct completion *completion)
{
    struct snapshot_store *store = store_of(op);
    if (completion->error != ERR_NONE) {
        store_finish(store, completion->error);
        return;
    }
    snapshot_ids_add(&store->ids, store->io->memory, store->id);
    store->bytes = store->length;
    prune_next(store);
}

static void part_renamed(struct op *op, const struct completion *completion)
{
    struct snapshot_store *store = store_of(op);
    if (completion->error != ERR_NONE)
        store_finish(store, completion->error);
    else
        io_sync_folder(store->io, op, folder_synced, store->folder, store->path);
}

static void part_removed(struct op *op, const struct completion *completion)
{
    (void)completion; /* what is left goes at the next start */
    struct snapshot_store *store = store_of(op);
    store_finish(store, store->error);
}

static void part_closed(struct op *op, const struct completion *completion)
{
    struct snapshot_store *store = store_of(op);
    if (store->error == ERR_NONE)
        store->error = completion->error;
    if (store->error != ERR_NONE)
        io_remove(store->io, op, part_removed, store->folder, span_text(store->part));
    else
        io_rename(store->io, op, part_renamed, store->folder, span_text(store->part),
                  span_text(store->name));
}

static void part_close(struct snapshot_store *store, int error)
{
    store->error = error;
    io_close_file(store->io, &store->op, part_closed, store->file);
}

static void part_synced(struct op *op, const struct completion *completion)
{
    part_close(store_of(op), completion->error);
}

static void part_written(struct op *op, const struct completion *completion);

static void part_write(struct snapshot_store *store)
{
    const uint32_t left = store->length - store->position;
    if (left == 0) {
        io_sync(store->io, &store->op, part_synced, store->file);
        return;
    }
    store->piece = (struct piece){
        .data = store->block + store->position,
        .length = left < STORE_WRITE_BYTES_MAX ? left : STORE_WRITE_BYTES_MAX,
    };
    io_write(store->io, &store->op, part_written, store->file, store->position, &store->piece, 1);
}

static void part_written(struct op *op, const struct completion *completion)
{
    struct snapshot_store *store = store_of(op);
    if (completion->error != ERR_NONE) {
        part_close(store, completion->error);
        return;
    }
    store->position += (uint32_t)store->piece.length;
    part_write(store);
}

static void part_opened(struct op *op, const struct completion *completion)
{
    struct snapshot_store *store = store_of(op);
    if (completion->error != ERR_NONE)
        store_finish(store, completion->error);
    else
        part_write(store);
}

void snapshot_store_start(struct snapshot_store *store, const struct image *image,
                          struct span voters)
{
    CHECK(!store->is_busy);
    store->is_busy = true;
    store->id = (struct snapshot_id){.offset = image->end_offset, .epoch = image->epoch};
    store->block =
        snapshot_save(image, voters, store->io->wall_ms, &store->length, &store->capacity);
    store->position = 0;
    path_make(store, store->id, "", store->name);
    path_make(store, store->id, SNAPSHOT_PART_SUFFIX, store->part);
    store->file = io_new_file(store->io);
    io_open(store->io, &store->op, part_opened, store->file, OPEN_CREATE_NEW, store->folder,
            span_text(store->part));
}
