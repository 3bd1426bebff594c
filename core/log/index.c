/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/index.h"

#include <string.h>

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/wire/error.h"

struct offset_entry {
    int64_t offset;
    uint32_t position;
};

struct time_entry {
    int64_t timestamp_ms;
    int64_t offset;
};

void index_init(struct index *index, struct memory *memory, int64_t base_offset)
{
    *index = (struct index){
        .memory = memory,
        .base_offset = base_offset,
        .max_timestamp_ms = BATCH_NO_TIMESTAMP,
        .max_timestamp_offset = base_offset,
    };
}

void index_free(struct index *index)
{
    memory_give(index->memory, MEMORY_STATE, index->offsets.bytes,
                (size_t)index->offsets.capacity * OFFSET_ENTRY_BYTES);
    memory_give(index->memory, MEMORY_STATE, index->times.bytes,
                (size_t)index->times.capacity * TIME_ENTRY_BYTES);
    index_init(index, index->memory, index->base_offset);
}

static struct offset_entry offset_entry(const struct index *index, uint32_t place)
{
    const uint8_t *at = index->offsets.bytes + (size_t)place * OFFSET_ENTRY_BYTES;

    return (struct offset_entry){index->base_offset + get_be32(at), get_be32(at + 4)};
}

static struct time_entry time_entry(const struct index *index, uint32_t place)
{
    const uint8_t *at = index->times.bytes + (size_t)place * TIME_ENTRY_BYTES;

    return (struct time_entry){(int64_t)get_be64(at), index->base_offset + get_be32(at + 8)};
}

/* Room for one more entry at the end, counted already. */
static uint8_t *entries_add(struct index *index, struct index_entries *entries, size_t entry_bytes)
{
    entries->bytes = memory_grow(index->memory, entries->bytes, &entries->capacity,
                                 entries->count + 1, entry_bytes);
    return entries->bytes + (size_t)entries->count++ * entry_bytes;
}

static uint32_t relative_offset(const struct index *index, int64_t offset)
{
    CHECK(offset >= index->base_offset && offset - index->base_offset <= INT32_MAX);
    return (uint32_t)(offset - index->base_offset);
}

static void add_offset(struct index *index, int64_t offset, uint32_t position)
{
    const uint32_t relative = relative_offset(index, offset);
    uint8_t *at = entries_add(index, &index->offsets, OFFSET_ENTRY_BYTES);

    put_be32(at, relative);
    put_be32(at + 4, position);
}

/* Times in the file rise, so a latest time that is not later than the last entry's needs none. */
static void add_time(struct index *index)
{
    const int64_t last_ms = index->times.count == 0
                                ? BATCH_NO_TIMESTAMP
                                : time_entry(index, index->times.count - 1).timestamp_ms;

    if (index->max_timestamp_ms <= last_ms)
        return;
    const uint32_t relative = relative_offset(index, index->max_timestamp_offset);
    uint8_t *at = entries_add(index, &index->times, TIME_ENTRY_BYTES);
    put_be64(at, (uint64_t)index->max_timestamp_ms);
    put_be32(at + 8, relative);
}

void index_note_time(struct index *index, const struct batch_info *info)
{
    if (info->max_timestamp_ms > index->max_timestamp_ms) {
        index->max_timestamp_ms = info->max_timestamp_ms;
        index->max_timestamp_offset = batch_last_offset(info);
    }
}

void index_append(struct index *index, const struct index_settings *settings,
                  const struct batch_info *info, uint32_t position)
{
    index_note_time(index, info);
    if (index->bytes_since_entry > settings->interval_bytes && !index_is_full(index, settings)) {
        add_offset(index, batch_last_offset(info), position);
        add_time(index);
        index->bytes_since_entry = 0;
    }
    index->bytes_since_entry += info->size_bytes;
}

bool index_is_full(const struct index *index, const struct index_settings *settings)
{
    /* The time of index_finish() always has its place. */
    return (uint64_t)(index->offsets.count + 1) * OFFSET_ENTRY_BYTES > settings->limit_bytes ||
           (uint64_t)(index->times.count + 2) * TIME_ENTRY_BYTES > settings->limit_bytes;
}

void index_finish(struct index *index)
{
    add_time(index);
}

/* How many offset entries are at or before `offset`. */
static uint32_t count_offsets(const struct index *index, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = index->offsets.count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (offset_entry(index, middle).offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t index_position(const struct index *index, int64_t offset)
{
    const uint32_t count = count_offsets(index, offset);

    return count == 0 ? 0 : offset_entry(index, count - 1).position;
}

int64_t index_offset_by_time(const struct index *index, int64_t timestamp_ms)
{
    uint32_t low = 0;
    uint32_t high = index->times.count;

    /* An entry says that all up to its offset is no later: so look for the last one before. */
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (time_entry(index, middle).timestamp_ms < timestamp_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? index->base_offset : time_entry(index, low - 1).offset;
}

/* The latest time is that of the last entry, until index_note_time() finds a later one. */
static void take_last_time(struct index *index)
{
    index->max_timestamp_ms = BATCH_NO_TIMESTAMP;
    index->max_timestamp_offset = index->base_offset;
    if (index->times.count > 0) {
        const struct time_entry last = time_entry(index, index->times.count - 1);
        index->max_timestamp_ms = last.timestamp_ms;
        index->max_timestamp_offset = last.offset;
    }
}

void index_truncate(struct index *index, int64_t end_offset)
{
    while (index->offsets.count > 0 &&
           offset_entry(index, index->offsets.count - 1).offset >= end_offset)
        index->offsets.count--;
    while (index->times.count > 0 && time_entry(index, index->times.count - 1).offset >= end_offset)
        index->times.count--;
    index->bytes_since_entry = 0;
    take_last_time(index);
}

struct span index_offset_bytes(const struct index *index)
{
    return span_of(index->offsets.bytes, (size_t)index->offsets.count * OFFSET_ENTRY_BYTES);
}

struct span index_time_bytes(const struct index *index)
{
    return span_of(index->times.bytes, (size_t)index->times.count * TIME_ENTRY_BYTES);
}

/* The entries of a file without the zeros at its end. */
static uint32_t count_written(struct span bytes, size_t entry_bytes)
{
    size_t length = bytes.length;

    while (length > 0 && bytes.data[length - 1] == 0)
        length--;
    return (uint32_t)((length + entry_bytes - 1) / entry_bytes);
}

static bool fits(struct span bytes, size_t entry_bytes)
{
    return bytes.length % entry_bytes == 0 && bytes.length / entry_bytes <= INT32_MAX;
}

static void entries_take(struct index *index, struct index_entries *entries, struct span bytes,
                         size_t entry_bytes)
{
    const uint32_t count = count_written(bytes, entry_bytes);

    if (count == 0)
        return;
    entries->bytes =
        memory_grow(index->memory, entries->bytes, &entries->capacity, count, entry_bytes);
    memcpy(entries->bytes, bytes.data, count * entry_bytes);
    entries->count = count;
}

static bool entries_rise(const struct index *index, uint64_t segment_bytes)
{
    const int64_t end_offset = index->base_offset + INT32_MAX;

    for (uint32_t i = 0; i < index->offsets.count; i++) {
        const struct offset_entry entry = offset_entry(index, i);
        if (entry.offset > end_offset || entry.position >= segment_bytes)
            return false;
        if (i > 0 && (entry.offset <= offset_entry(index, i - 1).offset ||
                      entry.position <= offset_entry(index, i - 1).position))
            return false;
    }
    for (uint32_t i = 0; i < index->times.count; i++) {
        const struct time_entry entry = time_entry(index, i);
        if (entry.offset > end_offset || entry.timestamp_ms < 0)
            return false;
        if (i > 0 && (entry.offset <= time_entry(index, i - 1).offset ||
                      entry.timestamp_ms <= time_entry(index, i - 1).timestamp_ms))
            return false;
    }
    return true;
}

int index_load(struct index *index, struct span offset_bytes, struct span time_bytes,
               uint64_t segment_bytes)
{
    if (!fits(offset_bytes, OFFSET_ENTRY_BYTES) || !fits(time_bytes, TIME_ENTRY_BYTES))
        return ERR_MALFORMED;
    entries_take(index, &index->offsets, offset_bytes, OFFSET_ENTRY_BYTES);
    entries_take(index, &index->times, time_bytes, TIME_ENTRY_BYTES);
    if (!entries_rise(index, segment_bytes)) {
        index_free(index);
        return ERR_MALFORMED;
    }
    take_last_time(index);
    return ERR_NONE;
}
