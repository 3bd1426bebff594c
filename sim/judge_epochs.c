/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leader epoch and an offset name one batch, whether it became durable or not: somebody may have
 * seen the one that was lost. The judge looks at what is written to segments, and notes of each log
 * the batches of the latest epoch; what is written at one of their offsets under that epoch has to
 * be the same batch. The metadata log is one of them: its epochs are the terms of the quorum.
 */
#include "core/base/crc32c.h"
#include "core/base/format.h"
#include "core/log/checkpoint.h"
#include "sim/file_node.h"
#include "sim/judge.h"
#include "sim/notes.h"
#include "sim/parts.h"

#define FOLDER_BYTES_MAX 512

struct written {
    struct written_key {
        uint32_t host;
        uint32_t name; /* checksum of the partition's */
        struct uuid topic;
    } key;
    int32_t epoch;
    struct batch_marks marks; /* of this epoch */
};

struct epochs {
    struct notes logs;
};

static void begin(struct judge *judge)
{
    struct epochs *epochs = judge->state;
    notes_init(&epochs->logs, &judge->memory, sizeof(struct written), sizeof(struct written_key));
}

/* Whose log a folder holds: what the metadata say of its name may be of the next topic already.
 * False when the folder does not tell. */
static bool folder_topic(const struct host *host, struct span name, struct uuid *ret_id)
{
    char path[FOLDER_BYTES_MAX];
    const size_t length =
        format_text(path, sizeof(path), "%.*s/partition.metadata", SPAN_ARGS(name));
    for (uint32_t root = 0; root < FILES_FOLDERS_MAX && length < sizeof(path); root++) {
        const struct file_node *node = path_node(&host->files, root, path);
        if (node != NULL &&
            partition_metadata_read(span_of(node->visible.data, node->visible.length), ret_id) == 0)
            return true;
    }
    return false;
}

/* The log that a segment's path belongs to; false for other files, and for logs of no topic. */
static bool key_of(struct judge *judge, const struct host *host, struct span path,
                   struct written_key *ret_key)
{
    const struct span suffix = SPAN(".log");
    const uint8_t *slash = memchr(path.data, '/', path.length);
    if (slash == NULL || path.length < suffix.length ||
        memcmp(path.data + path.length - suffix.length, suffix.data, suffix.length) != 0)
        return false;
    const struct span name = span_of(path.data, (size_t)(slash - path.data));
    *ret_key =
        (struct written_key){.host = host->number, .name = crc32c(0, name.data, name.length)};
    if (span_equal(name, SPAN("__cluster_metadata-0")) || folder_topic(host, name, &ret_key->topic))
        return true;
    const uint8_t *dash = memrchr(name.data, '-', name.length);
    const struct image *image = durable_image(judge_durable(judge, host));
    if (dash == NULL || image == NULL)
        return false;
    const struct meta_topic *topic =
        image_topic(image, span_of(name.data, (size_t)(dash - name.data)));
    if (topic == NULL)
        return false;
    ret_key->topic = topic->id;
    return true;
}

/* One batch, as appends write it; recovery also writes ranges that begin and end anywhere. */
static bool is_batch(struct span bytes, struct batch_info *ret_info)
{
    struct span batch;
    return batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, ret_info) == BATCH_FOUND &&
           batch.length == bytes.length;
}

static void batch_written(struct judge *judge, const struct host *host, struct span path,
                          struct written *log, struct span bytes)
{
    struct batch_info info;
    if (!is_batch(bytes, &info) || info.leader_epoch < log->epoch)
        return;
    if (info.leader_epoch > log->epoch)
        log->marks.count = 0;
    log->epoch = info.leader_epoch;
    judge->judged++;
    const struct batch_mark mark = batch_mark_of(bytes, info.base_offset);
    const uint32_t place = batch_marks_at(&log->marks, mark.base_offset);
    const struct batch_mark *known = place == log->marks.count ? NULL : &log->marks.items[place];
    if (known == NULL || known->base_offset > mark.last_offset)
        batch_marks_insert(&log->marks, &judge->memory, place, mark);
    else if (known->base_offset != mark.base_offset || known->last_offset != mark.last_offset ||
             known->records != mark.records)
        judge_object(
            judge,
            "%s writes offsets %lld to %lld of %.*s under leader epoch %d, and has written "
            "other records to offsets %lld to %lld under that epoch",
            host->name, (long long)mark.base_offset, (long long)mark.last_offset, SPAN_ARGS(path),
            info.leader_epoch, (long long)known->base_offset, (long long)known->last_offset);
}

static void file_written(struct judge *judge, struct host *host, const struct effect *effect)
{
    struct epochs *epochs = judge->state;
    const struct span path = files_path(&host->files, effect);
    struct written_key key;
    if (path.length == 0 || !key_of(judge, host, path, &key))
        return;
    struct written *log = notes_get(&epochs->logs, &key);
    for (uint32_t i = 0; i < effect->write.pieces_count; i++)
        batch_written(judge, host, path, log,
                      span_of(effect->write.pieces[i].data, effect->write.pieces[i].length));
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    (void)event;
    for (uint32_t i = 0; i < host->effects.count; i++) {
        if (host->effects.items[i].kind == EFFECT_WRITE)
            file_written(judge, host, &host->effects.items[i]);
    }
}

static void end(struct judge *judge)
{
    struct epochs *epochs = judge->state;
    for (struct written *log = notes_first(&epochs->logs); log != NULL; log = notes_next(log))
        batch_marks_free(&log->marks, &judge->memory);
    notes_clear(&epochs->logs);
}

const struct judge_kind judge_epochs = {
    .name = "epochs",
    .rule = "a leader epoch and an offset name one batch, before and after a restart or a lost "
            "append",
    .source = "KIP-101, KIP-279: logs are told apart by the epoch of each offset",
    .size = sizeof(struct epochs),
    .begin = begin,
    .stepped = stepped,
    .end = end,
};
