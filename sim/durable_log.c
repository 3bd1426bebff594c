/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/durable_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log/checkpoint.h"
#include "sim/file_node.h"

#define SEGMENT_DIGITS 20
#define PATH_BYTES     (DURABLE_LOG_NAME_BYTES + SEGMENT_DIGITS + 8)

void durable_log_init(struct durable_log *log, struct span topic, int32_t index)
{
    *log = (struct durable_log){.segment = -1};
    snprintf(log->name, sizeof(log->name), "%.*s-%d", (int)topic.length, (const char *)topic.data,
             index);
}

void durable_log_rewind(struct durable_log *log)
{
    log->segment = -1;
    log->position = 0;
    log->next_offset = 0;
    log->has_last = false;
}

static const struct file_node *folder_of(const struct durable_log *log, const struct files *files)
{
    for (uint32_t i = 0; i < FILES_FOLDERS_MAX; i++) {
        const struct file_node *node = files_durable(files, i, log->name);
        if (node != NULL && node->is_folder)
            return node;
    }
    return NULL;
}

/* The base offset in a segment's name; -1: it is none. */
static int64_t segment_base(const char *name)
{
    if (strlen(name) != SEGMENT_DIGITS + 4 || strcmp(name + SEGMENT_DIGITS, ".log") != 0)
        return -1;
    return (int64_t)strtoll(name, NULL, 10);
}

/* The segment that holds `offset`: the last whose base is not beyond it, or else the first. */
static const struct file_node *segment_at(const struct file_node *folder, int64_t offset,
                                          int64_t *ret_base)
{
    const struct file_node *found = NULL;
    for (size_t i = 0; i < folder->durable_entries.count; i++) {
        const struct entry *entry = &folder->durable_entries.items[i];
        const int64_t base = segment_base(entry->name);
        if (base < 0)
            continue;
        if (found != NULL && base > offset)
            break;
        found = entry->node;
        *ret_base = base;
    }
    return found;
}

/* The segment with this base offset. */
static const struct file_node *segment_of(const struct file_node *folder, int64_t base)
{
    char name[] = "00000000000000000000.log";
    for (size_t i = SEGMENT_DIGITS; i > 0 && base > 0; i--, base /= 10)
        name[i - 1] = (char)('0' + base % 10);
    return entries_get(&folder->durable_entries, name);
}

/* The batch that was read last still lies where it lay. */
static bool last_is_there(const struct durable_log *log, const struct file_bytes *bytes)
{
    if (!log->has_last)
        return true;
    if (bytes->length < log->position)
        return false;
    struct batch_info info;
    batch_info_read(bytes->data + log->last_position, &info);
    return info.crc == log->last_crc;
}

static void enter(struct durable_log *log, int64_t base)
{
    log->segment = base;
    log->position = 0;
    log->has_last = false;
    if (log->next_offset < base)
        log->next_offset = base;
}

/* The checksum leaves the base offset out: one that a lost sector held is zeros, and no batch of
 * this place. */
static bool batch_at(const struct durable_log *log, const struct file_bytes *bytes,
                     struct span *ret_batch, struct batch_info *ret_info)
{
    const size_t left = bytes->length - log->position;
    if (left == 0)
        return false;
    const struct span window = span_of(bytes->data + log->position, left);
    return batch_next(window, left, BATCH_CHECK_CRC, ret_batch, ret_info) == BATCH_FOUND &&
           ret_info->base_offset >= log->next_offset;
}

/* Where to go on: in the segment that it is in, or (that one went, or there was none) in the first
 * one after what was read. NULL: nowhere; what holds the next offset and more before it came in the
 * place of a segment that was cut off. */
static const struct file_node *segment_now(struct durable_log *log, const struct file_node *folder)
{
    const struct file_node *file = log->segment < 0 ? NULL : segment_of(folder, log->segment);
    if (file != NULL)
        return file;
    int64_t base = -1;
    file = segment_at(folder, log->next_offset, &base);
    if (file == NULL || base < log->next_offset)
        return NULL;
    enter(log, base);
    return file;
}

enum durable_found durable_log_next(struct durable_log *log, const struct files *files,
                                    struct span *ret_batch, struct batch_info *ret_info)
{
    const struct file_node *folder = folder_of(log, files);
    const struct file_node *file = folder == NULL ? NULL : segment_now(log, folder);
    if (file == NULL)
        return log->segment < 0 ? DURABLE_END : DURABLE_GONE;
    if (!last_is_there(log, &file->durable))
        return DURABLE_GONE;
    while (!batch_at(log, &file->durable, ret_batch, ret_info)) {
        file = log->next_offset == log->segment ? NULL : segment_of(folder, log->next_offset);
        if (file == NULL)
            return DURABLE_END;
        enter(log, log->next_offset);
    }
    log->has_last = true;
    log->last_position = log->position;
    log->last_crc = ret_info->crc;
    log->position += ret_batch->length;
    log->next_offset = batch_last_offset(ret_info) + 1;
    return DURABLE_BATCH;
}

bool durable_log_is_adopted(const struct durable_log *log, const struct files *files,
                            struct uuid topic)
{
    struct uuid found;
    const struct file_node *folder = folder_of(log, files);
    const struct file_node *file =
        folder == NULL ? NULL : entries_get(&folder->durable_entries, "partition.metadata");
    return file != NULL && file->durable.length == PARTITION_METADATA_BYTES &&
           partition_metadata_read(span_of(file->durable.data, file->durable.length), &found) ==
               0 &&
           uuid_equal(found, topic);
}

bool durable_log_skip(struct durable_log *log, const struct files *files)
{
    const struct file_node *folder = folder_of(log, files);
    for (size_t i = 0; folder != NULL && i < folder->durable_entries.count; i++) {
        const int64_t base = segment_base(folder->durable_entries.items[i].name);
        if (base <= log->segment)
            continue;
        log->next_offset = base;
        enter(log, base);
        return true;
    }
    return false;
}
