/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     piece:   (first: close what there was ──▶ create NAME.part) ──▶ write
 *     finish:  sync ──▶ read back ──▶ whole? ──▶ close ──▶ rename ──▶ sync the folder
 */
#include "core/meta/snapshot_receive.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/wire/error.h"

static struct snapshot_receive *receive_of(struct op *op)
{
    return container_of(op, struct snapshot_receive, op);
}

static void path_make(struct snapshot_receive *receive, const char *suffix,
                      char out[static SNAPSHOT_PATH_BYTES])
{
    char name[SNAPSHOT_NAME_BYTES];
    snapshot_name(receive->id, name);
    const size_t length =
        format_text(out, SNAPSHOT_PATH_BYTES, "%.*s/%s%s", SPAN_ARGS(receive->path), name, suffix);
    CHECK(length < SNAPSHOT_PATH_BYTES);
}

/* ---- A piece. ---- */

static void piece_end(struct snapshot_receive *receive, int error)
{
    buffer_release(receive->buffer);
    receive->buffer = NULL;
    receive->written(receive, error);
}

static void piece_written(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    if (completion->error == ERR_NONE)
        receive->size = receive->position + receive->piece.length;
    piece_end(receive, completion->error);
}

static void piece_write(struct snapshot_receive *receive)
{
    io_write(receive->io, &receive->op, piece_written, receive->file, receive->position,
             &receive->piece, 1);
}

static void part_emptied(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    if (completion->error != ERR_NONE)
        piece_end(receive, completion->error);
    else
        piece_write(receive);
}

static void part_open(struct snapshot_receive *receive);

static void folder_made(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    if (completion->error != ERR_NONE && completion->error != ERR_EXISTS)
        piece_end(receive, completion->error);
    else
        part_open(receive);
}

static void part_opened(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    if (completion->error == ERR_NOT_FOUND) { /* a node that has no log yet */
        io_make_folder(receive->io, op, folder_made, receive->folder, receive->path);
        return;
    }
    if (completion->error != ERR_NONE) {
        piece_end(receive, completion->error);
        return;
    }
    receive->is_open = true;
    io_truncate(receive->io, op, part_emptied, receive->file, 0);
}

static void part_open(struct snapshot_receive *receive)
{
    path_make(receive, SNAPSHOT_PART_SUFFIX, receive->part);
    path_make(receive, "", receive->name);
    receive->file = io_new_file(receive->io);
    io_open(receive->io, &receive->op, part_opened, receive->file, OPEN_CREATE, receive->folder,
            span_text(receive->part));
}

static void old_closed(struct op *op, const struct completion *completion)
{
    (void)completion; /* nobody needs it */
    struct snapshot_receive *receive = receive_of(op);
    receive->is_open = false;
    part_open(receive);
}

void snapshot_receive_piece(struct snapshot_receive *receive, struct snapshot_id id,
                            uint64_t position, struct span bytes, struct buffer *buffer)
{
    CHECK(position + bytes.length <= SNAPSHOT_BYTES_MAX);
    receive->buffer = buffer_hold(buffer);
    receive->piece = (struct piece){.data = bytes.data, .length = bytes.length};
    receive->position = position;
    if (position > 0) {
        CHECK(receive->is_open);
        piece_write(receive);
        return;
    }
    receive->id = id;
    receive->size = 0;
    if (receive->is_open)
        io_close_file(receive->io, &receive->op, old_closed, receive->file);
    else
        part_open(receive);
}

/* ---- The end. ---- */

static void finish_end(struct snapshot_receive *receive, int error)
{
    uint8_t *block = receive->block;
    receive->block = NULL;
    receive->finished(receive, error,
                      error == ERR_NONE ? span_of(block, receive->size) : SPAN_NULL);
    memory_give(receive->io->memory, MEMORY_STATE, block, receive->size);
}

static void folder_synced(struct op *op, const struct completion *completion)
{
    finish_end(receive_of(op), completion->error);
}

static void part_renamed(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    if (completion->error != ERR_NONE)
        finish_end(receive, completion->error);
    else
        io_sync_folder(receive->io, op, folder_synced, receive->folder, receive->path);
}

static void part_closed(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    receive->is_open = false;
    if (receive->error == ERR_NONE)
        receive->error = completion->error;
    if (receive->error != ERR_NONE)
        finish_end(receive, receive->error);
    else
        io_rename(receive->io, op, part_renamed, receive->folder, span_text(receive->part),
                  span_text(receive->name));
}

static void part_close(struct snapshot_receive *receive, int error)
{
    receive->error = error;
    io_close_file(receive->io, &receive->op, part_closed, receive->file);
}

/* What the disk gives back is judged, not what was sent. */
static void part_read(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    int error = completion->error;
    if (error == ERR_NONE &&
        (completion->count < receive->size ||
         !snapshot_is_whole(span_of(receive->block, receive->size), receive->id)))
        error = ERR_CORRUPT_MESSAGE;
    part_close(receive, error);
}

static void part_synced(struct op *op, const struct completion *completion)
{
    struct snapshot_receive *receive = receive_of(op);
    if (completion->error != ERR_NONE || receive->size == 0) {
        part_close(receive,
                   completion->error == ERR_NONE ? ERR_CORRUPT_MESSAGE : completion->error);
        return;
    }
    receive->block = memory_take(receive->io->memory, MEMORY_STATE, receive->size);
    io_read(receive->io, op, part_read, receive->file, 0, receive->block, receive->size);
}

void snapshot_receive_finish(struct snapshot_receive *receive)
{
    CHECK(receive->is_open);
    io_sync(receive->io, &receive->op, part_synced, receive->file);
}

void snapshot_receive_free(struct snapshot_receive *receive)
{
    buffer_release(receive->buffer);
    receive->buffer = NULL;
    memory_give(receive->io->memory, MEMORY_STATE, receive->block,
                receive->block == NULL ? 0 : receive->size);
    receive->block = NULL;
}
