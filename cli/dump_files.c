/* SPDX-License-Identifier: Apache-2.0 */
/* The files beside the segments. */
#include <fcntl.h>
#include <unistd.h>

#include "cli/dump.h"
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/base/uuid.h"
#include "core/log/checkpoint.h"
#include "core/log/epochs.h"
#include "core/log/index.h"
#include "core/meta/identity.h"
#include "core/wire/error.h"

/* A segment beside its index, to look up where entries point. */
struct beside {
    int file; /* -1: there is none */
    uint64_t size_bytes;
};

/* True when a batch of the segment begins at `position`, and `offset` does not lie before it. */
static bool points_at_batch(const struct beside *log, uint32_t position, int64_t offset)
{
    uint8_t bytes[BATCH_HEADER_BYTES];
    struct span batch;
    struct batch_info info;
    if (log->file < 0)
        return true;
    if (position >= log->size_bytes || log->size_bytes - position < sizeof(bytes) ||
        pread(log->file, bytes, sizeof(bytes), position) != (ssize_t)sizeof(bytes))
        return false;
    return batch_next(span_of(bytes, sizeof(bytes)), log->size_bytes - position, BATCH_CHECK_HEADER,
                      &batch, &info) == BATCH_FOUND &&
           info.base_offset <= offset;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    while (i < length && bytes[i] == 0)
        i++;
    return i == length;
}

/* Walks the entries of an index, in windows. `entry` gets each with its number; zeros at the end,
 * where Kafka makes room ahead, are no entries. */
static void each_entry(struct dump *dump, size_t entry_bytes, void *context,
                       void (*entry)(struct dump *dump, void *context, uint64_t position,
                                     const uint8_t *bytes))
{
    struct dump_window window = {.position = 0};
    uint64_t zeros_at = UINT64_MAX;
    uint64_t position = 0;
    for (; position + entry_bytes <= dump->size_bytes; position += entry_bytes) {
        if (dump_show(dump, &window, position, entry_bytes) != 0 ||
            window.position + window.length < position + entry_bytes)
            break;
        const uint8_t *bytes = window.bytes + (position - window.position);
        if (position > 0 && is_zero(bytes, entry_bytes)) {
            zeros_at = zeros_at == UINT64_MAX ? position : zeros_at;
            continue;
        }
        if (zeros_at != UINT64_MAX)
            dump_wrong(dump, zeros_at, "there are zeros between entries");
        zeros_at = UINT64_MAX;
        entry(dump, context, position, bytes);
    }
    if (position < dump->size_bytes && dump->size_bytes - position < entry_bytes)
        dump_wrong(dump, position, "the file ends inside of an entry");
    dump_window_free(&window);
}

/* What an index is read with, and its last entry. */
struct index_walk {
    int64_t base_offset;
    struct beside log;
    int64_t last_offset;
    int64_t last_value; /* position or time */
};

static void offset_entry(struct dump *dump, void *context, uint64_t position, const uint8_t *bytes)
{
    struct index_walk *walk = context;
    const int64_t offset = walk->base_offset + (int64_t)get_be32(bytes);
    const uint32_t target = get_be32(bytes + 4);
    /* The first bytes of an index without entries are zeros, too. */
    if (position == 0 && is_zero(bytes, OFFSET_ENTRY_BYTES))
        return;
    dump_begin(dump, "index_entry", 0);
    dump_number(dump, "offset", offset);
    dump_number(dump, "position", target);
    dump_end(dump);
    if (offset <= walk->last_offset || target <= walk->last_value)
        dump_wrong(dump, position, "the entry of offset %lld does not come after the one before",
                   (long long)offset);
    else if (!points_at_batch(&walk->log, target, offset))
        dump_wrong(dump, position, "no batch that could hold offset %lld begins at %u of the log",
                   (long long)offset, target);
    walk->last_offset = offset;
    walk->last_value = target;
}

void dump_index(struct dump *dump, int64_t base_offset, const char *log_path)
{
    struct index_walk walk = {
        .base_offset = base_offset, .last_offset = base_offset - 1, .last_value = -1};
    walk.log.file = open(log_path, O_RDONLY | O_CLOEXEC);
    if (walk.log.file >= 0) {
        const off_t end = lseek(walk.log.file, 0, SEEK_END);
        walk.log.size_bytes = end < 0 ? 0 : (uint64_t)end;
    }
    each_entry(dump, OFFSET_ENTRY_BYTES, &walk, offset_entry);
    if (walk.log.file >= 0)
        close(walk.log.file);
}

static void time_entry(struct dump *dump, void *context, uint64_t position, const uint8_t *bytes)
{
    struct index_walk *walk = context;
    const int64_t time_ms = (int64_t)get_be64(bytes);
    const int64_t offset = walk->base_offset + (int64_t)get_be32(bytes + 8);
    if (position == 0 && is_zero(bytes, TIME_ENTRY_BYTES))
        return;
    dump_begin(dump, "time_entry", 0);
    dump_time(dump, "time", time_ms);
    dump_number(dump, "offset", offset);
    dump_end(dump);
    if (time_ms <= walk->last_value || offset <= walk->last_offset)
        dump_wrong(dump, position, "the entry of offset %lld does not come after the one before",
                   (long long)offset);
    walk->last_offset = offset;
    walk->last_value = time_ms;
}

void dump_time_index(struct dump *dump, int64_t base_offset)
{
    struct index_walk walk = {
        .base_offset = base_offset, .last_offset = base_offset - 1, .last_value = INT64_MIN};
    each_entry(dump, TIME_ENTRY_BYTES, &walk, time_entry);
}

/* The file of producers (core/log/producers.h): version, checksum, count, entries. */
enum {
    PRODUCERS_AT_CRC = 2,
    PRODUCERS_AT_COUNT = 6,
    PRODUCERS_HEAD_BYTES = 10,
    PRODUCER_BYTES = 46,
};

static void print_producer(struct dump *dump, const uint8_t *at)
{
    dump_begin(dump, "producer", 0);
    dump_number(dump, "producer_id", (int64_t)get_be64(at));
    dump_number(dump, "producer_epoch", (int16_t)get_be16(at + 8));
    dump_number(dump, "last_sequence", (int32_t)get_be32(at + 10));
    dump_number(dump, "last_offset", (int64_t)get_be64(at + 14));
    dump_number(dump, "offset_delta", (int32_t)get_be32(at + 22));
    dump_time(dump, "time", (int64_t)get_be64(at + 26));
    dump_number(dump, "coordinator_epoch", (int32_t)get_be32(at + 34));
    dump_number(dump, "transaction_first_offset", (int64_t)get_be64(at + 38));
    dump_end(dump);
}

void dump_producers(struct dump *dump)
{
    struct span bytes;
    if (dump_read_all(dump, &bytes) != 0)
        return;
    if (bytes.length < PRODUCERS_HEAD_BYTES || get_be16(bytes.data) != 1) {
        dump_wrong(dump, 0, "this is not a snapshot of producers of version 1");
        return;
    }
    const uint32_t crc =
        crc32c(0, bytes.data + PRODUCERS_AT_COUNT, bytes.length - PRODUCERS_AT_COUNT);
    if (crc != get_be32(bytes.data + PRODUCERS_AT_CRC)) {
        dump_wrong(dump, PRODUCERS_AT_CRC,
                   "the file is damaged: its checksum is %08x, its bytes "
                   "give %08x",
                   get_be32(bytes.data + PRODUCERS_AT_CRC), crc);
        return;
    }
    const uint64_t count = get_be32(bytes.data + PRODUCERS_AT_COUNT);
    if (bytes.length != PRODUCERS_HEAD_BYTES + count * PRODUCER_BYTES) {
        dump_wrong(dump, PRODUCERS_AT_COUNT, "the file does not have the length of %llu producers",
                   (unsigned long long)count);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        print_producer(dump, bytes.data + PRODUCERS_HEAD_BYTES + i * PRODUCER_BYTES);
}

void dump_epochs(struct dump *dump)
{
    struct epochs epochs;
    struct span text;
    if (dump_read_all(dump, &text) != 0)
        return;
    epochs_init(&epochs, &dump->memory);
    if (epochs_decode(&epochs, text) != ERR_NONE)
        dump_wrong(dump, 0, "this is not a list of leader epochs of version 0");
    for (uint32_t i = 0; i < epochs.count; i++) {
        dump_begin(dump, "epoch", 0);
        dump_number(dump, "leader_epoch", epochs.entries[i].epoch);
        dump_number(dump, "offset", epochs.entries[i].offset);
        dump_end(dump);
    }
    epochs_free(&epochs);
}

void dump_checkpoint(struct dump *dump)
{
    struct checkpoint_entry *entries = NULL;
    struct span text;
    uint32_t count = 0;
    if (dump_read_all(dump, &text) != 0)
        return;
    if (checkpoint_read(text, &dump->arena, &entries, &count) != ERR_NONE)
        dump_wrong(dump, 0, "this is not a list of offsets of version 0");
    for (uint32_t i = 0; i < count; i++) {
        dump_begin(dump, "checkpoint", 0);
        dump_text(dump, "topic", entries[i].topic);
        dump_number(dump, "partition", entries[i].partition);
        dump_number(dump, "offset", entries[i].offset);
        dump_end(dump);
    }
}

void dump_partition_metadata(struct dump *dump)
{
    struct span text;
    struct uuid topic_id;
    if (dump_read_all(dump, &text) != 0)
        return;
    /* Kafka's own file has no line feed at its end. */
    uint8_t whole[PARTITION_METADATA_BYTES];
    if (text.length == sizeof(whole) - 1) {
        memcpy(whole, text.data, text.length);
        whole[text.length] = '\n';
        text = span_of(whole, sizeof(whole));
    }
    if (partition_metadata_read(text, &topic_id) != ERR_NONE) {
        dump_wrong(dump, 0, "this is not the topic id of a partition, version 0");
        return;
    }
    const struct uuid_text id = uuid_text(topic_id);
    dump_begin(dump, "partition", 0);
    dump_text(dump, "topic_id", span_text(id.text));
    dump_end(dump);
}

void dump_identity(struct dump *dump)
{
    struct identity identity;
    struct span text;
    const char *why = NULL;
    if (dump_read_all(dump, &text) != 0)
        return;
    if (identity_parse(text, &identity, &why) != 0) {
        dump_wrong(dump, 0, "%s", why);
        return;
    }
    const struct uuid_text id = uuid_text(identity.directory_id);
    dump_begin(dump, "identity", 0);
    dump_text(dump, "cluster_id", span_text(identity.cluster_id));
    dump_number(dump, "node_id", identity.node_id);
    dump_text(dump, "directory_id", span_text(id.text));
    dump_end(dump);
}
