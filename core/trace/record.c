/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/record.h"

#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/trace/fields.h"

/* The first byte of an item: the kind of an event, or one of these. */
#define TAG_RESULT  0x10
#define TAG_END     0x11
#define TAG_CLEARED 0x80 /* beside the kind of an event */

/* Longest forms: a tag, two clocks and up to five numbers; or a tag, two clocks and entropy. */
_Static_assert(1 + 7 * FIELD_NUMBER_BYTES_MAX <= TRACE_ITEM_BYTES_MAX, "a completion fits");
_Static_assert(1 + 2 * FIELD_NUMBER_BYTES_MAX + START_ENTROPY_BYTES <= TRACE_ITEM_BYTES_MAX,
               "a start fits");

static uint8_t *write_event(uint8_t *at, struct trace_before *before, const struct trace_item *item)
{
    const struct event *event = &item->event;
    *at++ = (uint8_t)((unsigned)event->kind | (item->cleared ? TAG_CLEARED : 0));
    at = field_write_number(at, event->mono_us - before->mono_us);
    at = field_write_number(at, (uint64_t)event->wall_ms - (uint64_t)before->wall_ms);
    before->mono_us = event->mono_us;
    before->wall_ms = event->wall_ms;
    switch (event->kind) {
    case EVENT_START:
        memcpy(at, event->start.entropy, START_ENTROPY_BYTES);
        return at + START_ENTROPY_BYTES;
    case EVENT_ACCEPTED:
        at = field_write_number(at, event->accepted.connection);
        at = field_write_number(at, event->accepted.listener);
        return field_write_number(at, event->accepted.peer.length);
    case EVENT_COMPLETED:
        at = field_write_number(at, event->completed.effect - before->effect);
        at = field_write_number(at, (uint64_t)(int64_t)event->completed.error);
        at = field_write_number(at, event->completed.count);
        at = field_write_number(at, event->completed.entries_count);
        before->effect = event->completed.effect;
        return field_write_number(at, item->bytes.length);
    case EVENT_TIMER:
    case EVENT_STOP:
    case EVENT_TURN_END:
        break;
    }
    return at;
}

size_t trace_item_write(uint8_t *room, struct trace_before *before, const struct trace_item *item)
{
    uint8_t *at = room;
    switch (item->kind) {
    case TRACE_EVENT:
        at = write_event(at, before, item);
        break;
    case TRACE_RESULT:
        *at++ = TAG_RESULT;
        at = field_write_number(at, item->effects);
        put_be64(at, item->digest);
        at += 8;
        break;
    case TRACE_END:
        *at++ = TAG_END;
        *at++ = (uint8_t)item->ending;
        break;
    }
    return (size_t)(at - room);
}

static bool read_accepted(struct fields *fields, struct trace_item *item)
{
    item->event.accepted.connection = field_number(fields);
    item->event.accepted.listener = (uint32_t)field_number_most(fields, UINT32_MAX);
    item->event.accepted.peer = field_bytes(fields, field_number_most(fields, TRACE_BYTES_MAX));
    return !fields->broken;
}

static bool read_completed(struct fields *fields, struct trace_before *before,
                           struct trace_item *item)
{
    struct completion *completion = &item->event.completed;
    completion->effect = before->effect + field_number(fields);
    const int64_t error = (int64_t)field_number(fields);
    completion->count = field_number(fields);
    completion->entries_count = (uint32_t)field_number_most(fields, UINT32_MAX);
    item->bytes = field_bytes(fields, field_number_most(fields, TRACE_BYTES_MAX));
    if (error < INT16_MIN || error > INT16_MAX)
        return false;
    completion->error = (int)error;
    before->effect = completion->effect;
    return !fields->broken;
}

static bool read_event(struct fields *fields, uint8_t tag, struct trace_before *before,
                       struct trace_item *item)
{
    struct event *event = &item->event;
    item->kind = TRACE_EVENT;
    item->cleared = (tag & TAG_CLEARED) != 0;
    const unsigned kind = tag & ~(unsigned)TAG_CLEARED;
    if (kind > EVENT_TURN_END)
        return false;
    event->kind = (enum event_kind)kind;
    event->mono_us = before->mono_us + field_number(fields);
    event->wall_ms = (int64_t)((uint64_t)before->wall_ms + field_number(fields));
    before->mono_us = event->mono_us;
    before->wall_ms = event->wall_ms;
    if (event->kind == EVENT_ACCEPTED)
        return read_accepted(fields, item);
    if (event->kind == EVENT_COMPLETED)
        return read_completed(fields, before, item);
    if (event->kind == EVENT_START) {
        const struct span entropy = field_bytes(fields, START_ENTROPY_BYTES);
        if (!fields->broken)
            memcpy(event->start.entropy, entropy.data, START_ENTROPY_BYTES);
    }
    return !fields->broken;
}

bool trace_item_read(struct span *chunk, struct trace_before *before, struct trace_item *ret_item)
{
    struct fields fields = {.rest = *chunk};
    struct trace_item item = {.kind = TRACE_RESULT};
    const struct span tag = field_bytes(&fields, 1);
    bool good = !fields.broken;
    if (good && tag.data[0] == TAG_RESULT) {
        item.effects = (uint32_t)field_number_most(&fields, UINT32_MAX);
        const struct span digest = field_bytes(&fields, 8);
        good = !fields.broken;
        item.digest = good ? get_be64(digest.data) : 0;
    } else if (good && tag.data[0] == TAG_END) {
        item.kind = TRACE_END;
        const struct span ending = field_bytes(&fields, 1);
        good = !fields.broken && ending.data[0] < TRACE_ENDINGS;
        item.ending = good ? (enum trace_ending)ending.data[0] : TRACE_ENDING_NONE;
    } else if (good) {
        good = read_event(&fields, tag.data[0], before, &item);
    }
    if (!good)
        return false;
    *chunk = fields.rest;
    *ret_item = item;
    return true;
}

void trace_chunk_head(uint8_t *head, struct span items, struct span more)
{
    CHECK(items.length <= UINT32_MAX && more.length <= UINT32_MAX - items.length);
    put_be32(head, (uint32_t)(items.length + more.length));
    put_be32(head + 4, crc32c(crc32c(0, items.data, items.length), more.data, more.length));
}

bool trace_chunk_read(struct span *file, struct span *ret_items)
{
    if (file->length < TRACE_CHUNK_HEAD_BYTES)
        return false;
    const uint32_t length = get_be32(file->data);
    const uint8_t *items = file->data + TRACE_CHUNK_HEAD_BYTES;
    const size_t rest = file->length - TRACE_CHUNK_HEAD_BYTES;
    if (length > rest || crc32c(0, items, length) != get_be32(file->data + 4))
        return false;
    *ret_items = span_of(items, length);
    *file = span_of(items + length, rest - length);
    return true;
}

size_t trace_entries_size(const struct folder_entry *entries, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += field_text_size(entries[i].name) + field_number_size(entries[i].size_bytes) + 1;
    return size;
}

void trace_entries_write(uint8_t *room, const struct folder_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        room = field_write_text(room, entries[i].name);
        room = field_write_number(room, entries[i].size_bytes);
        *room++ = entries[i].is_folder;
    }
}

bool trace_entry_read(struct span *bytes, struct folder_entry *ret_entry)
{
    struct fields fields = {.rest = *bytes};
    const struct span name = field_text(&fields);
    const uint64_t size_bytes = field_number(&fields);
    const struct span is_folder = field_bytes(&fields, 1);
    if (fields.broken || is_folder.data[0] > 1)
        return false;
    *bytes = fields.rest;
    *ret_entry = (struct folder_entry){
        .name = name,
        .size_bytes = size_bytes,
        .is_folder = is_folder.data[0] == 1,
    };
    return true;
}
