/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/flight_again.h"

#include <stdlib.h>

#include "core/trace/header.h"
#include "core/trace/record.h"
#include "sim/memory.h"

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void ignore(void *context, bool is_refused, uint32_t place, struct span text)
{
    (void)context;
    (void)is_refused;
    (void)place;
    (void)text;
}

/* Takes a header off and writes it anew; null when it is refused. Owned by the caller. */
static struct span header_written(struct span *record, struct memory *memory)
{
    struct trace_header header;
    struct conf conf;
    struct span written = SPAN_NULL;
    if (trace_header_read(record, &header) != NULL)
        return written;
    conf_init(&conf, memory, ignore, NULL);
    if (trace_header_conf(&header, &conf) == 0) {
        const size_t size = trace_header_size(header.program, &conf);
        uint8_t *room = sim_allocate(NULL, size);
        trace_header_write(room, header.program, &conf);
        written = span_of(room, size);
    }
    conf_free(&conf);
    return written;
}

static bool header_again(struct span *record)
{
    struct memory memory;
    memory_init(&memory, sim_allocator());
    const struct span first = header_written(record, &memory);
    struct span left = first;
    if (!span_is_null(first)) {
        const struct span second = header_written(&left, &memory);
        must(span_equal(first, second) && left.length == 0);
        free((void *)(uintptr_t)second.data);
    }
    free((void *)(uintptr_t)first.data);
    return !span_is_null(first);
}

/* Any bytes as entries, one by one: as many as there are. */
static void entries_again(struct span bytes)
{
    struct folder_entry entry;
    struct folder_entry read;
    while (trace_entry_read(&bytes, &entry)) {
        const size_t size = trace_entries_size(&entry, 1);
        uint8_t *room = sim_allocate(NULL, size);
        trace_entries_write(room, &entry, 1);
        struct span written = span_of(room, size);
        must(trace_entry_read(&written, &read) && written.length == 0);
        must(span_equal(read.name, entry.name) && read.size_bytes == entry.size_bytes &&
             read.is_folder == entry.is_folder);
        free(room);
    }
}

/* Writes an item with its bytes. Owned by the caller. */
static struct span item_written(const struct trace_item *item, struct trace_before *before)
{
    const struct span bytes = trace_item_bytes(item);
    uint8_t *room = sim_allocate(NULL, TRACE_ITEM_BYTES_MAX + bytes.length);
    const size_t size = trace_item_write(room, before, item);
    if (bytes.length > 0)
        memcpy(room + size, bytes.data, bytes.length);
    return span_of(room, size + bytes.length);
}

/* What differences are told from, by who writes it first, reads that, and writes it again. */
struct befores {
    struct trace_before first;
    struct trace_before reader;
    struct trace_before second;
};

static void item_again(const struct trace_item *item, struct befores *befores)
{
    struct trace_item read;
    const struct span first = item_written(item, &befores->first);
    struct span left = first;
    must(trace_item_read(&left, &befores->reader, &read) && left.length == 0);
    const struct span second = item_written(&read, &befores->second);
    must(span_equal(first, second));
    free((void *)(uintptr_t)first.data);
    free((void *)(uintptr_t)second.data);
}

void flight_again(struct span record)
{
    struct trace_before before = {0};
    struct befores befores = {0};
    struct span items;
    if (!header_again(&record))
        return;
    while (trace_chunk_read(&record, &items)) {
        while (items.length > 0) {
            struct trace_item item;
            if (!trace_item_read(&items, &before, &item))
                return;
            item_again(&item, &befores);
            entries_again(item.bytes);
        }
    }
}
