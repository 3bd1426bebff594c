/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/snapshot_load.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/wire/error.h"

static struct snapshot_load *load_of(struct op *op)
{
    return container_of(op, struct snapshot_load, op);
}

static void block_give(struct snapshot_load *load)
{
    memory_give(load->io->memory, MEMORY_STATE, load->block, load->block_bytes);
    load->block = NULL;
    load->block_bytes = 0;
}

void snapshot_load_free(struct snapshot_load *load)
{
    block_give(load);
    snapshot_ids_free(&load->ids, load->io->memory);
    snapshot_ids_free(&load->parts, load->io->memory);
}

static void load_fail(struct snapshot_load *load, int error, uint64_t position)
{
    io_log(load->io, LOG_ERROR,
           "a metadata snapshot cannot be read: file=%s position=%llu error=%s mend=\"bring back "
           "the file from a copy, or remove it if an older snapshot is there\"",
           load->name, (unsigned long long)position, error_name(error));
    block_give(load);
    load->done(load, error);
}

static void load_next(struct snapshot_load *load);

static void torn_removed(struct op *op, const struct completion *completion)
{
    struct snapshot_load *load = load_of(op);
    if (completion->error != ERR_NONE && completion->error != ERR_NOT_FOUND) {
        load_fail(load, completion->error, 0);
        return;
    }
    snapshot_ids_remove(&load->ids, load->next);
    load_next(load);
}

/* A torn snapshot must not stay: counted as one of those that are kept, it would let the log go
 * that the older ones need. */
static void load_torn(struct snapshot_load *load)
{
    io_log(load->io, LOG_WARN, "a torn metadata snapshot is passed over and removed: file=%s",
           load->name);
    block_give(load);
    io_remove(load->io, &load->op, torn_removed, load->folder, span_text(load->name));
}

static void load_judge(struct snapshot_load *load)
{
    const struct span bytes = span_of(load->block, load->block_bytes);
    uint64_t position = 0;
    if (!snapshot_is_whole(bytes, load->ids.items[load->next])) {
        load_torn(load);
        return;
    }
    const int error = snapshot_restore(bytes, load->ids.items[load->next], load->image, &position);
    if (error != ERR_NONE) {
        load_fail(load, error, position);
        return;
    }
    load->bytes = load->block_bytes;
    load->voters = snapshot_voters(bytes);
    load->done(load, ERR_NONE);
    load->voters = SPAN_NULL;
    block_give(load);
}

static void file_closed(struct op *op, const struct completion *completion)
{
    (void)completion; /* nothing was written: closing has nothing to lose */
    struct snapshot_load *load = load_of(op);
    if (load->error != ERR_NONE)
        load_fail(load, load->error, 0);
    else
        load_judge(load);
}

static void file_read(struct op *op, const struct completion *completion)
{
    struct snapshot_load *load = load_of(op);
    load->error = completion->error;
    if (completion->error == ERR_NONE && completion->count < load->block_bytes)
        load->error = ERR_SHORT;
    io_close_file(load->io, op, file_closed, load->file);
}

static void file_opened(struct op *op, const struct completion *completion)
{
    struct snapshot_load *load = load_of(op);
    if (completion->error != ERR_NONE) {
        load_fail(load, completion->error, 0);
        return;
    }
    /* Neither of these is whole, and an empty one has nothing to read. */
    if (completion->count == 0 || completion->count > SNAPSHOT_BYTES_MAX) {
        io_close_file(load->io, op, file_closed, load->file);
        return;
    }
    load->block_bytes = (uint32_t)completion->count;
    load->block = memory_take(load->io->memory, MEMORY_STATE, load->block_bytes);
    io_read(load->io, op, file_read, load->file, 0, load->block, load->block_bytes);
}

static void path_make(struct snapshot_load *load, struct snapshot_id id, const char *suffix)
{
    char name[SNAPSHOT_NAME_BYTES];
    snapshot_name(id, name);
    const size_t length = format_text(load->name, sizeof(load->name), "%.*s/%s%s",
                                      SPAN_ARGS(load->path), name, suffix);
    CHECK(length < sizeof(load->name));
}

/* Tries the newest one of those that were not tried yet. */
static void load_next(struct snapshot_load *load)
{
    if (load->next == 0) {
        load->done(load, ERR_NONE);
        return;
    }
    load->next--;
    load->error = ERR_NONE;
    path_make(load, load->ids.items[load->next], "");
    load->file = io_new_file(load->io);
    io_open(load->io, &load->op, file_opened, load->file, OPEN_READ, load->folder,
            span_text(load->name));
}

static void part_remove_next(struct snapshot_load *load);

static void part_removed(struct op *op, const struct completion *completion)
{
    (void)completion; /* it only takes up room: the next start tries again */
    struct snapshot_load *load = load_of(op);
    snapshot_ids_remove(&load->parts, 0);
    part_remove_next(load);
}

static void part_remove_next(struct snapshot_load *load)
{
    if (load->parts.count == 0) {
        load->next = load->ids.count;
        load_next(load);
        return;
    }
    path_make(load, load->parts.items[0], SNAPSHOT_PART_SUFFIX);
    io_remove(load->io, &load->op, part_removed, load->folder, span_text(load->name));
}

/* Takes a suffix off a name; false when it does not end so. */
static bool suffix_take(struct span *name, struct span suffix)
{
    if (name->length < suffix.length ||
        !span_equal(span_of(name->data + name->length - suffix.length, suffix.length), suffix))
        return false;
    name->length -= suffix.length;
    return true;
}

static void folder_listed(struct op *op, const struct completion *completion)
{
    struct snapshot_load *load = load_of(op);
    if (completion->error != ERR_NONE && completion->error != ERR_NOT_FOUND) {
        format_text(load->name, sizeof(load->name), "%.*s", SPAN_ARGS(load->path));
        load_fail(load, completion->error, 0);
        return;
    }
    for (uint32_t i = 0; i < completion->entries_count; i++) {
        struct span name = completion->entries[i].name;
        struct snapshot_id id;
        const bool is_part = suffix_take(&name, SPAN(SNAPSHOT_PART_SUFFIX));
        if (!completion->entries[i].is_folder && snapshot_parse_name(name, &id))
            snapshot_ids_add(is_part ? &load->parts : &load->ids, load->io->memory, id);
    }
    part_remove_next(load);
}

void snapshot_load_start(struct snapshot_load *load)
{
    io_list(load->io, &load->op, folder_listed, load->folder, load->path);
}
