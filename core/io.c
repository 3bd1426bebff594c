/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io.h"

#include "core/base/check.h"
#include "core/base/format.h"

/* An id is a sequence number above a slot number: never used again, found without a search. */
#define OP_SLOT_BITS       24
#define OP_SLOTS_MAX       ((uint32_t)1 << OP_SLOT_BITS)
#define LOG_LINE_BYTES_MAX 1024

void io_init(struct io *io, struct memory *memory, struct effects *effects)
{
    *io = (struct io){.memory = memory, .effects = effects};
    timers_init(&io->timers, memory);
    list_init(&io->turn_tasks);
}

void io_forget_all(struct io *io)
{
    timers_clear(&io->timers);
    while (list_pop(&io->turn_tasks) != NULL) {
    }
}

void io_free(struct io *io)
{
    timers_clear(&io->timers);
    memory_give(io->memory, MEMORY_STATE, io->ops, io->ops_capacity * sizeof(struct op *));
    memory_give(io->memory, MEMORY_STATE, io->ops_free, io->ops_free_capacity * sizeof(uint32_t));
}

bool op_busy(const struct op *op)
{
    return op->id != 0;
}

static uint32_t slot_take(struct io *io)
{
    if (io->ops_free_count == 0) {
        const uint32_t first = io->ops_capacity;
        io->ops =
            memory_grow(io->memory, io->ops, &io->ops_capacity, first + 1, sizeof(struct op *));
        memory_grow(io->memory, io->ops, &io->ops_capacity, first + 1, sizeof(struct op *));
        CHECK(io->ops_capacity <= OP_SLOTS_MAX);
        io->ops_free = memory_grow(io->memory, io->ops_free, &io->ops_free_capacity,
                                   io->ops_capacity, sizeof(uint32_t));
        for (uint32_t slot = io->ops_capacity; slot > first; slot--)
            io->ops_free[io->ops_free_count++] = slot - 1;
    }
    return io->ops_free[--io->ops_free_count];
}

static struct op *slot_release(struct io *io, uint64_t id)
{
    const uint32_t slot = (uint32_t)(id & (OP_SLOTS_MAX - 1));
    struct op *op = slot < io->ops_capacity ? io->ops[slot] : NULL;
    if (op == NULL || op->id != id)
        return NULL;
    io->ops[slot] = NULL;
    io->ops_free[io->ops_free_count++] = slot;
    op->id = 0;
    return op;
}

/* Starts the effect of `op`: an id, and a place to find it by. */
static struct effect *op_start(struct io *io, struct op *op, op_done *done, enum effect_kind kind)
{
    CHECK(!op_busy(op));
    const uint32_t slot = slot_take(io);
    op->id = (++io->op_sequence << OP_SLOT_BITS) | slot;
    op->done = done;
    io->ops[slot] = op;
    struct effect *effect = effects_add(io->effects, kind);
    effect->id = op->id;
    return effect;
}

void io_complete(struct io *io, const struct completion *completion)
{
    struct op *op = slot_release(io, completion->effect);
    if (op != NULL)
        op->done(op, completion);
}

void io_forget(struct io *io, struct op *op)
{
    if (op_busy(op))
        slot_release(io, op->id);
}

uint64_t io_new_file(struct io *io)
{
    return ++io->file_sequence;
}

void io_at_turn_end(struct io *io, struct turn_task *task, void (*run)(struct turn_task *task))
{
    if (task->place.next != NULL && !list_empty(&task->place))
        return;
    task->run = run;
    list_append(&io->turn_tasks, &task->place);
}

void io_run_turn_tasks(struct io *io)
{
    struct list *place;
    while ((place = list_pop(&io->turn_tasks)) != NULL) {
        struct turn_task *task = container_of(place, struct turn_task, place);
        task->run(task);
    }
}

void io_log(struct io *io, enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_text_v(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length >= sizeof(line))
        length = sizeof(line) - 1;
    const struct span text = arena_copy(&io->effects->arena, span_of(line, length));
    if (span_is_null(text))
        return;
    struct effect *effect = effects_add(io->effects, EFFECT_LOG);
    effect->log.level = level;
    effect->log.text = text;
}

void io_listen(struct io *io, struct op *op, op_done *done, uint32_t listener, struct span host,
               uint16_t port)
{
    struct effect *effect = op_start(io, op, done, EFFECT_LISTEN);
    effect->listen.listener = listener;
    effect->listen.host = host;
    effect->listen.port = port;
}

void io_connect(struct io *io, struct op *op, op_done *done, struct span host, uint16_t port)
{
    struct effect *effect = op_start(io, op, done, EFFECT_CONNECT);
    effect->connect.host = host;
    effect->connect.port = port;
}

void io_watch(struct io *io, struct op *op, op_done *done, uint64_t connection)
{
    op_start(io, op, done, EFFECT_WATCH)->connection = connection;
}

void io_receive(struct io *io, struct op *op, op_done *done, uint64_t connection, uint8_t *data,
                size_t length)
{
    struct effect *effect = op_start(io, op, done, EFFECT_RECEIVE);
    effect->receive.connection = connection;
    effect->receive.data = data;
    effect->receive.length = length;
}

void io_send(struct io *io, struct op *op, op_done *done, uint64_t connection,
             const struct piece *pieces, uint32_t pieces_count)
{
    io_send_until(io, op, done, connection, pieces, pieces_count, TIMER_NEVER);
}

void io_send_until(struct io *io, struct op *op, op_done *done, uint64_t connection,
                   const struct piece *pieces, uint32_t pieces_count, uint64_t until_us)
{
    struct effect *effect = op_start(io, op, done, EFFECT_SEND);
    effect->send.connection = connection;
    effect->send.pieces = pieces;
    effect->send.pieces_count = pieces_count;
    effect->send.until_us = until_us;
}

void io_close(struct io *io, struct op *op, op_done *done, uint64_t connection)
{
    op_start(io, op, done, EFFECT_CLOSE)->connection = connection;
}

void io_open(struct io *io, struct op *op, op_done *done, uint64_t file, enum open_mode mode,
             uint32_t folder, struct span path)
{
    struct effect *effect = op_start(io, op, done, EFFECT_OPEN);
    effect->open.file = file;
    effect->open.mode = mode;
    effect->open.folder = folder;
    effect->open.path = path;
}

void io_close_file(struct io *io, struct op *op, op_done *done, uint64_t file)
{
    op_start(io, op, done, EFFECT_CLOSE_FILE)->file = file;
}

void io_read(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t offset,
             uint8_t *data, size_t length)
{
    struct effect *effect = op_start(io, op, done, EFFECT_READ);
    effect->read.file = file;
    effect->read.offset = offset;
    effect->read.data = data;
    effect->read.length = length;
}

void io_write(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t offset,
              const struct piece *pieces, uint32_t pieces_count)
{
    struct effect *effect = op_start(io, op, done, EFFECT_WRITE);
    effect->write.file = file;
    effect->write.offset = offset;
    effect->write.pieces = pieces;
    effect->write.pieces_count = pieces_count;
}

void io_sync(struct io *io, struct op *op, op_done *done, uint64_t file)
{
    op_start(io, op, done, EFFECT_SYNC)->file = file;
}

static void range_start(struct io *io, struct op *op, op_done *done, enum effect_kind kind,
                        uint64_t file, uint64_t offset, uint64_t length)
{
    struct effect *effect = op_start(io, op, done, kind);
    effect->range.file = file;
    effect->range.offset = offset;
    effect->range.length = length;
}

void io_truncate(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t size_bytes)
{
    range_start(io, op, done, EFFECT_TRUNCATE, file, size_bytes, 0);
}

void io_reserve(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t offset,
                uint64_t length)
{
    range_start(io, op, done, EFFECT_RESERVE, file, offset, length);
}

static void path_start(struct io *io, struct op *op, op_done *done, enum effect_kind kind,
                       uint32_t folder, struct span path, struct span path_to)
{
    struct effect *effect = op_start(io, op, done, kind);
    effect->path.folder = folder;
    effect->path.path = path;
    effect->path.path_to = path_to;
}

void io_list(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path)
{
    path_start(io, op, done, EFFECT_LIST, folder, path, SPAN_NULL);
}

void io_make_folder(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path)
{
    path_start(io, op, done, EFFECT_MAKE_FOLDER, folder, path, SPAN_NULL);
}

void io_rename(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path,
               struct span path_to)
{
    path_start(io, op, done, EFFECT_RENAME, folder, path, path_to);
}

void io_remove(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path)
{
    path_start(io, op, done, EFFECT_REMOVE, folder, path, SPAN_NULL);
}

void io_sync_folder(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path)
{
    path_start(io, op, done, EFFECT_SYNC_FOLDER, folder, path, SPAN_NULL);
}
