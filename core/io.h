/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every part of the core has at hand during a step: the clocks, memory, deadlines, chance, and
 * the way to ask something of the world and to be told how it ended.
 */
#ifndef CORE_IO_H
#define CORE_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/base/timer.h"
#include "core/effect.h"
#include "core/event.h"

struct io;
struct op;

/* Called when the effect of `op` ended. The op is idle again, and may be asked anew or freed. */
typedef void op_done(struct op *op, const struct completion *completion);

/* One effect under way; a member of whoever waits for it (container_of leads back). Zeroed: idle */
struct op {
    uint64_t id; /* 0: idle */
    op_done *done;
};

/* Something to be done at the end of the turn, once however often it was asked for. */
struct turn_task {
    struct list place;
    void (*run)(struct turn_task *task);
};

struct io {
    struct memory *memory;
    struct effects *effects; /* of the step under way */
    uint64_t now_us;         /* monotonic; for every deadline, never stored */
    int64_t wall_ms;         /* for record times and retention */
    struct timers timers;
    struct rng rng;
    struct list turn_tasks;
    struct op **ops; /* slots; a free one is NULL */
    uint32_t *ops_free;
    uint32_t ops_capacity;
    uint32_t ops_free_count;
    uint32_t ops_free_capacity;
    uint64_t op_sequence;
    uint64_t file_sequence;
};

void io_init(struct io *io, struct memory *memory, struct effects *effects);
void io_free(struct io *io);

/* Nothing is due, or to be done at the end of a turn, any more: before those to whom it belongs are
 * freed, in whatever order. */
void io_forget_all(struct io *io);

/* True while the effect of `op` has not completed. */
bool op_busy(const struct op *op);

/* Hands a completion to the op that waits for it; one for an id that nobody waits for is ignored
 * (its owner went, see io_forget). */
void io_complete(struct io *io, const struct completion *completion);

/* The completion of `op`, if it is busy, will be ignored. What the effect points at has to outlive
 * it all the same: for effects that point at nothing of the owner's. */
void io_forget(struct io *io, struct op *op);

/* A file number for io_open, never given out before. */
uint64_t io_new_file(struct io *io);

/* Asks for `task` at the end of this turn. */
void io_at_turn_end(struct io *io, struct turn_task *task, void (*run)(struct turn_task *task));

/* Runs what was asked for, and what that asks for, until nothing is left. */
void io_run_turn_tasks(struct io *io);

/* A log line for the operator: what happened, then key=value pairs. */
void io_log(struct io *io, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The effects of core/effect.h. `op` is idle, and busy afterwards; `done` gets the completion. What
 * pointers point at stays put until then. */
void io_listen(struct io *io, struct op *op, op_done *done, uint32_t listener, struct span host,
               uint16_t port);
void io_connect(struct io *io, struct op *op, op_done *done, struct span host, uint16_t port);
void io_watch(struct io *io, struct op *op, op_done *done, uint64_t connection);
void io_receive(struct io *io, struct op *op, op_done *done, uint64_t connection, uint8_t *data,
                size_t length);
void io_send(struct io *io, struct op *op, op_done *done, uint64_t connection,
             const struct piece *pieces, uint32_t pieces_count);
void io_send_until(struct io *io, struct op *op, op_done *done, uint64_t connection,
                   const struct piece *pieces, uint32_t pieces_count, uint64_t until_us);
void io_close(struct io *io, struct op *op, op_done *done, uint64_t connection);
void io_open(struct io *io, struct op *op, op_done *done, uint64_t file, enum open_mode mode,
             uint32_t folder, struct span path);
void io_close_file(struct io *io, struct op *op, op_done *done, uint64_t file);
void io_read(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t offset,
             uint8_t *data, size_t length);
void io_write(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t offset,
              const struct piece *pieces, uint32_t pieces_count);
void io_sync(struct io *io, struct op *op, op_done *done, uint64_t file);
void io_truncate(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t size_bytes);
void io_reserve(struct io *io, struct op *op, op_done *done, uint64_t file, uint64_t offset,
                uint64_t length);
void io_list(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path);
void io_make_folder(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path);
void io_rename(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path,
               struct span path_to);
void io_remove(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path);
void io_sync_folder(struct io *io, struct op *op, op_done *done, uint32_t folder, struct span path);

#endif
