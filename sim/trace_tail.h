/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a trace that are not in its database yet. They lie in a file beside it, FILE.db-tail,
 * that is mapped into memory: a row costs no system call, and yet it is there when the process dies
 * in the next moment, however that is. A lock tells a writer that lives from one that has died.
 */
#ifndef SIM_TRACE_TAIL_H
#define SIM_TRACE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/span.h"

enum trace_class {
    TRACE_CLASS_EVENT,
    TRACE_CLASS_EFFECT,
    TRACE_CLASS_REQUEST,
    TRACE_CLASS_REPLY,
    TRACE_CLASS_LOST,
    TRACE_CLASS_ACTION,
    TRACE_CLASSES
};

/* Columns that a row may lack: bits of `has`. */
#define TRACE_HAS_NODE    0x001
#define TRACE_HAS_REF     0x002
#define TRACE_HAS_OBJECT  0x004
#define TRACE_HAS_ERROR   0x008
#define TRACE_HAS_VERSION 0x010
#define TRACE_HAS_COUNT   0x020
#define TRACE_HAS_TEXT    0x040
#define TRACE_HAS_DIGEST  0x080
#define TRACE_HAS_OFFSET  0x100
#define TRACE_HAS_MESSAGE 0x200 /* the text is one */

/* One row of "thing" (sim/trace_schema.c), behind which its kind and its text lie. */
struct trace_row {
    uint64_t number;
    uint64_t cause;
    uint64_t at_us;
    uint64_t ref;
    uint64_t object;
    uint64_t offset;
    uint64_t count;
    uint64_t digest;
    uint32_t text_bytes;
    uint32_t node;
    int16_t error;
    int16_t version;
    uint16_t has;
    uint8_t class;
    uint8_t kind_bytes;
};

struct trace_tail;

/* Makes an empty one for the trace at `path`, replacing what is there. NULL with errno. Given back
 * by trace_tail_close(), which leaves the file. */
struct trace_tail *trace_tail_make(const char *path);

/* Opens what a process left that has died. NULL with errno: ENOENT when there is none, EWOULDBLOCK
 * while its process lives, EINVAL when it is of another program. */
struct trace_tail *trace_tail_open(const char *path);
void trace_tail_close(struct trace_tail *tail);

/* True when a trace has one: its process lives, or died before the run's end. */
bool trace_tail_is_there(const char *path);

/* Removes the file; a no-op when there is none. */
void trace_tail_remove(const char *path);

/* Appends a row whose text is still empty; `kind` is a word. */
void trace_tail_put(struct trace_tail *tail, const struct trace_row *row, const char *kind);

/* Adds to the text of the last row. */
void trace_tail_text(struct trace_tail *tail, struct span text);

/* The last row is whole: only now it counts. False when there was no room for it on the disk; it is
 * forgotten then. */
bool trace_tail_end(struct trace_tail *tail);

/* Bytes of the rows that count. */
size_t trace_tail_bytes(const struct trace_tail *tail);

/* The row at *place, which starts at 0 and moves on to the next; false behind the last one. Kind
 * and text are borrowed until the tail changes. */
bool trace_tail_next(const struct trace_tail *tail, size_t *place, struct trace_row *ret_row,
                     struct span *ret_kind, struct span *ret_text);

/* Forgets all rows. */
void trace_tail_clear(struct trace_tail *tail);

#endif
