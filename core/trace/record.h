/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flight record: a file with every event that entered the core of one process, from its start,
 * and what each step amounted to.
 *
 *     magic "chronikR" │ version │ length │ CRC-32C of what follows │ the node's settings …
 *     length │ CRC-32C of what follows │ items …                          chunk after chunk
 *
 * Fixed numbers are 32 or 64 bits, big-endian; the others are core/records/varint.h's. Items:
 *
 *     an event   its kind, the clocks as differences from the event before, its fields, and the
 *                bytes that came with it: they lie where a RECEIVE or READ said
 *     a result   after the step: how many effects it gave, and the digest of all so far
 *     the end    why nothing follows
 *
 * Whole chunks are written, each of whole items: a process that was killed leaves a record that is
 * good up to its last whole chunk.
 */
#ifndef CORE_TRACE_RECORD_H
#define CORE_TRACE_RECORD_H

#include "core/event.h"

#define TRACE_CHUNK_HEAD_BYTES 8

/* An item without the bytes that came with an event. */
#define TRACE_ITEM_BYTES_MAX 80

/* Beyond this an event's bytes are refused by the reader; no event brings more. */
#define TRACE_BYTES_MAX ((size_t)INT32_MAX)

enum trace_item_kind { TRACE_EVENT, TRACE_RESULT, TRACE_END };

/* Why a record ends. */
enum trace_ending {
    TRACE_ENDING_NONE,    /* it was broken off: the process was killed, or a write failed */
    TRACE_ENDING_STOPPED, /* the broker ended */
    TRACE_ENDING_LIMIT,   /* it reached the size that it may have */
    TRACE_ENDINGS
};

struct trace_item {
    enum trace_item_kind kind;
    struct event event; /* without entries */
    struct span bytes;  /* of the event: what a RECEIVE or READ brought, or the entries of a LIST */
    bool cleared;       /* the driver had taken the effects over before the event */
    uint32_t effects;
    uint64_t digest;
    enum trace_ending ending;
};

/* What an item is told as a difference from. Zeroed at the start of a record. */
struct trace_before {
    uint64_t mono_us;
    int64_t wall_ms;
    uint64_t effect;
};

/* The bytes that come after an item's own. */
static inline struct span trace_item_bytes(const struct trace_item *item)
{
    const bool is_accepted = item->kind == TRACE_EVENT && item->event.kind == EVENT_ACCEPTED;
    return is_accepted ? item->event.accepted.peer : item->bytes;
}

/* Writes an item to `room` of TRACE_ITEM_BYTES_MAX bytes; trace_item_bytes() have to follow it.
 * Returns how many bytes it took. */
size_t trace_item_write(uint8_t *room, struct trace_before *before, const struct trace_item *item);

/* Takes an item off the front of a chunk's bytes; its spans point there. False when it is not one.
 * That the chunk is not empty is up to the caller. */
bool trace_item_read(struct span *chunk, struct trace_before *before, struct trace_item *ret_item);

/* Fills in the head of a chunk, TRACE_CHUNK_HEAD_BYTES of it. What follows is in two runs. */
void trace_chunk_head(uint8_t *head, struct span items, struct span more);

/* Takes a chunk off the front of a file's bytes: its items. False when the file ends within it, or
 * its checksum is wrong. */
bool trace_chunk_read(struct span *file, struct span *ret_items);

/* The entries of a LIST as an event's bytes. `room` has trace_entries_size() bytes. */
size_t trace_entries_size(const struct folder_entry *entries, uint32_t count);
void trace_entries_write(uint8_t *room, const struct folder_entry *entries, uint32_t count);

/* Takes an entry off the front; its name points there. False when it is not one. */
bool trace_entry_read(struct span *bytes, struct folder_entry *ret_entry);

#endif
