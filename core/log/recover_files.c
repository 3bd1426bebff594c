/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a log's folder has: its segments, what belongs to them, and what is of no use. */
#include "core/base/format.h"
#include "core/log/recover.h"

#define OFFSET_DIGITS 20

static bool name_ends(struct span name, const char *suffix)
{
    const struct span end = span_text(suffix);
    return name.length >= end.length &&
           memcmp(name.data + name.length - end.length, end.data, end.length) == 0;
}

/* A name of twenty digits and the suffix. */
static bool name_offset(struct span name, const char *suffix, int64_t *ret_offset)
{
    int64_t offset;
    if (name.length != OFFSET_DIGITS + strlen(suffix) || !name_ends(name, suffix) ||
        name.data[0] == '-' || parse_int64(span_of(name.data, OFFSET_DIGITS), &offset) != 0 ||
        offset > LOG_OFFSET_MAX)
        return false;
    *ret_offset = offset;
    return true;
}

static void trash_add(struct recovery *recovery, struct span name)
{
    if (name.length >= sizeof(recovery->trash[0]))
        return; /* not a name of ours */
    recovery->trash =
        memory_grow(recovery->log->io->memory, recovery->trash, &recovery->trash_capacity,
                    recovery->trash_count + 1, sizeof(*recovery->trash));
    char *copy = recovery->trash[recovery->trash_count++];
    memcpy(copy, name.data, name.length);
    copy[name.length] = '\0';
}

void recover_trash_offset(struct recovery *recovery, int64_t offset, const char *suffix)
{
    char name[sizeof(recovery->trash[0])];
    const size_t length = format_text(name, sizeof(name), "%020lld%s", (long long)offset, suffix);
    trash_add(recovery, span_of(name, length));
}

static struct segment *segment_of(const struct log *log, int64_t base_offset)
{
    const uint32_t at = segment_find(log, base_offset);
    if (at >= log->segments_count || log->segments[at]->base_offset != base_offset)
        return NULL;
    return log->segments[at];
}

/* Any file but a segment's own. */
static void file_found(struct recovery *recovery, struct span name)
{
    struct log *log = recovery->log;
    int64_t offset;
    const bool is_index = name_offset(name, ".index", &offset);
    if (is_index || name_offset(name, ".timeindex", &offset)) {
        struct segment *segment = segment_of(log, offset);
        if (segment == NULL)
            trash_add(recovery, name);
        else if (is_index)
            segment->has_offsets_file = true;
        else
            segment->has_times_file = true;
    } else if (name_offset(name, ".snapshot", &offset)) {
        log->snapshots = memory_grow(log->io->memory, log->snapshots, &log->snapshots_capacity,
                                     log->snapshots_count + 1, sizeof(int64_t));
        log->snapshots[log->snapshots_count++] = offset;
    } else if (name_ends(name, ".deleted") || name_ends(name, ".cleaned") ||
               name_ends(name, ".tmp") || name_ends(name, ".txnindex")) {
        trash_add(recovery, name);
    } else if (name_ends(name, ".swap")) {
        io_log(log->io, LOG_WARN,
               "a file of an unfinished compaction is ignored log=%.*s file=%.*s",
               SPAN_ARGS(log->name), SPAN_ARGS(name));
    } else if (span_equal(name, SPAN("partition.metadata"))) {
        recovery->has_metadata = true;
    } else if (span_equal(name, SPAN("leader-epoch-checkpoint"))) {
        recovery->has_epochs = true;
    } else if (span_equal(name, SPAN(CACHE_MARK))) {
        log->has_cache_mark = true;
    }
}

static void segment_found(struct log *log, int64_t base_offset, uint64_t size_bytes)
{
    struct segment *segment = segment_new(log, base_offset);
    segment->exists = true;
    segment->size_bytes = size_bytes;
    segment->written_bytes = size_bytes;
    segment->entry_durable = base_offset < log->recovery_point;
    segment_add(log, segment);
}

void recover_files(struct recovery *recovery, const struct folder_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t base_offset;
        if (!entries[i].is_folder && name_offset(entries[i].name, ".log", &base_offset))
            segment_found(recovery->log, base_offset, entries[i].size_bytes);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!entries[i].is_folder && !name_ends(entries[i].name, ".log"))
            file_found(recovery, entries[i].name);
    }
}
