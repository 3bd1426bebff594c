/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a broker knows of the leader epochs of a log, in memory and in leader-epoch-checkpoint, is
 * what the log says: each epoch begins with the first of its batches, or where the log was made to
 * start within it, and none is missing or one too many. And it is what the metadata say: no batch
 * has an epoch that its partition has not come to. Followers are told by it where their logs go
 * apart from the leader's.
 *
 * The judge reads a log when it first hears of it in a process, and notes what is written from then
 * on. The newest epoch is looked at with each batch, all of them when a log was read and when the
 * file is put in its place.
 */
#include "core/base/format.h"
#include "core/log/epochs.h"
#include "core/view.h"
#include "sim/file_node.h"
#include "sim/judge.h"
#include "sim/notes.h"
#include "sim/parts.h"

#define NAME_BYTES_MAX 320

struct log_note {
    struct partition_key key;
    int64_t end_offset;
    struct epoch_start *epochs; /* by offset; the first may begin before the log's start */
    uint32_t count;
    uint32_t capacity;
};

/* A log that is being cut, by recovery or by who follows. */
struct cut_note {
    struct partition_key key;
    uint32_t name_length;
    char name[NAME_BYTES_MAX]; /* of its folder */
};

struct epoch_cache {
    struct notes logs;
    struct notes cuts;
};

/* Where epochs are looked up: in memory, or in a file. */
struct lookup {
    const struct host *host;
    const struct epochs *file; /* NULL: in memory */
    const struct log_note *log;
};

static void begin(struct judge *judge)
{
    struct epoch_cache *cache = judge->state;
    notes_init(&cache->logs, &judge->memory, sizeof(struct log_note), sizeof(struct partition_key));
    notes_init(&cache->cuts, &judge->memory, sizeof(struct cut_note), sizeof(struct partition_key));
}

static void log_forget(struct judge *judge, struct log_note *log)
{
    struct epoch_cache *cache = judge->state;
    memory_give(&judge->memory, MEMORY_STATE, log->epochs, log->capacity * sizeof(*log->epochs));
    notes_remove(&cache->logs, log);
}

/* ---- What they say. ---- */

static bool is_found(const struct lookup *lookup, int64_t before, struct epoch_start *ret_start)
{
    const struct partition_key *key = &lookup->log->key;
    if (lookup->file != NULL)
        return epochs_before(lookup->file, before, ret_start);
    return broker_view_epoch(lookup->host->broker, key->topic, key->index, before,
                             &ret_start->epoch, &ret_start->offset);
}

/* Nothing is known of what was before the log's start. */
static void judge_older(struct judge *judge, const struct lookup *lookup, struct span name,
                        int64_t start, int64_t before)
{
    struct epoch_start older;
    if (is_found(lookup, before, &older))
        judge_object(judge,
                     "%.*s: %s has leader epoch %d from offset %lld on in memory, and the log, "
                     "which starts at offset %lld, has nothing of it",
                     SPAN_ARGS(name), lookup->host->name, older.epoch, (long long)older.offset,
                     (long long)start);
}

/* Whether the newest epoch that begins before `end` is `known`; it objects when it is not. */
static bool is_as_known(struct judge *judge, const struct lookup *lookup, struct span name,
                        int64_t start, int64_t end, const struct epoch_start *known)
{
    const char *where = lookup->file == NULL ? "in memory" : "in its checkpoint";
    /* The oldest begins where the log does; in a file, or where the log did once. */
    const bool is_oldest = known == lookup->log->epochs;
    const int64_t latest = known->offset < start ? start : known->offset;
    const int64_t earliest = lookup->file == NULL ? latest : is_oldest ? 0 : known->offset;
    struct epoch_start got;
    judge->judged++;
    if (!is_found(lookup, end, &got))
        judge_object(judge,
                     "%.*s: %s has batches of leader epoch %d from offset %lld on, and no such "
                     "epoch %s",
                     SPAN_ARGS(name), lookup->host->name, known->epoch, (long long)known->offset,
                     where);
    else if (got.epoch != known->epoch || got.offset < earliest || got.offset > latest)
        judge_object(judge,
                     "%.*s: %s has leader epoch %d from offset %lld on %s, and in the log, which "
                     "starts at offset %lld, it is %d from offset %lld on",
                     SPAN_ARGS(name), lookup->host->name, got.epoch, (long long)got.offset, where,
                     (long long)start, known->epoch, (long long)known->offset);
    else
        return true;
    return false;
}

/* Compares the newest `most` epochs that begin before `end`; in memory nothing may be left of what
 * is before the log's start. */
static void compare(struct judge *judge, const struct lookup *lookup, struct span name,
                    int64_t start, int64_t end, uint32_t most)
{
    const struct log_note *log = lookup->log;
    uint32_t count = log->count;
    while (count > 0 && log->epochs[count - 1].offset >= end)
        count--;
    for (; count > 0 && end > start && most > 0; most--) {
        const struct epoch_start *known = &log->epochs[--count];
        if (!is_as_known(judge, lookup, name, start, end, known))
            return;
        end = known->offset;
    }
    if (most > 0 && lookup->file == NULL)
        judge_older(judge, lookup, name, start, end < start ? start : end);
}

/* ---- What the log says. ---- */

static void batch_noted(struct judge *judge, struct log_note *log, const struct batch_info *info)
{
    while (log->count > 0 && log->epochs[log->count - 1].offset >= info->base_offset)
        log->count--;
    log->end_offset = batch_last_offset(info) + 1;
    if (log->count > 0 && log->epochs[log->count - 1].epoch == info->leader_epoch)
        return;
    log->epochs = memory_grow(&judge->memory, log->epochs, &log->capacity, log->count + 1,
                              sizeof(*log->epochs));
    log->epochs[log->count++] = (struct epoch_start){info->leader_epoch, info->base_offset};
}

static bool is_segment(struct span path)
{
    const struct span suffix = SPAN(".log");
    return path.length > suffix.length &&
           memcmp(path.data + path.length - suffix.length, suffix.data, suffix.length) == 0;
}

/* Notes what lies in a log's folder, up to `end`. */
static void log_read(struct judge *judge, struct log_note *log, const struct file_node *folder,
                     int64_t end)
{
    for (size_t i = 0; folder != NULL && i < folder->visible_entries.count; i++) {
        const struct entry *entry = &folder->visible_entries.items[i];
        struct span bytes = span_of(entry->node->visible.data, entry->node->visible.length);
        struct span batch;
        struct batch_info info;
        while (is_segment(span_text(entry->name)) && bytes.length > 0 &&
               batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, &info) == BATCH_FOUND &&
               info.base_offset < end) {
            batch_noted(judge, log, &info);
            bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
        }
    }
    log->end_offset = end;
}

static const struct file_node *folder_of(const struct host *host, struct span name)
{
    char path[NAME_BYTES_MAX];
    memcpy(path, name.data, name.length);
    path[name.length] = '\0';
    const struct file_node *node = NULL;
    for (uint32_t i = 0; i < FILES_FOLDERS_MAX && node == NULL; i++)
        node = host->files.roots[i] == NULL ? NULL : path_node(&host->files, i, path);
    return node;
}

/* The folder that a path begins with; empty when it has none. */
static struct span folder_name(struct span path)
{
    const uint8_t *slash = memchr(path.data, '/', path.length);
    return span_of(path.data, slash == NULL ? 0 : (size_t)(slash - path.data));
}

/* The partition whose folder has this name, as the machine knows it. */
static bool partition_of(const struct judge *judge, const struct host *host, struct span name,
                         struct partition_key *ret_key)
{
    const struct image *image = durable_image(judge_durable(judge, host));
    const uint8_t *dash = memrchr(name.data, '-', name.length);
    if (image == NULL || dash == NULL || name.length >= NAME_BYTES_MAX)
        return false;
    const struct meta_topic *topic =
        image_topic(image, span_of(name.data, (size_t)(dash - name.data)));
    int32_t index = 0;
    for (const uint8_t *at = dash + 1; at < name.data + name.length; at++) {
        if (*at < '0' || *at > '9' || index > INT32_MAX / 10 - 1)
            return false;
        index = index * 10 + (*at - '0');
    }
    if (topic == NULL)
        return false;
    *ret_key = (struct partition_key){.host = host->number, .index = index, .topic = topic->id};
    return true;
}

/* The note of a log, judged as a whole when it is new; NULL while it is being read or cut. */
static struct log_note *log_of(struct judge *judge, const struct host *host,
                               const struct partition_key *key, struct span name,
                               struct log_view *ret_view)
{
    struct epoch_cache *cache = judge->state;
    struct log_note *log = notes_find(&cache->logs, key);
    if (host->broker == NULL || !broker_view_log(host->broker, key->topic, key->index, ret_view)) {
        if (log != NULL)
            log_forget(judge, log);
        return NULL;
    }
    if (log != NULL)
        return log;
    log = notes_get(&cache->logs, key);
    log_read(judge, log, folder_of(host, name), ret_view->written_end);
    compare(judge, &(struct lookup){.host = host, .log = log}, name, ret_view->start,
            log->end_offset, UINT32_MAX);
    return log;
}

/* The same of the log whose folder a path begins with; NULL for other files, too. */
static struct log_note *log_at(struct judge *judge, const struct host *host, struct span path,
                               struct span *ret_name, struct log_view *ret_view)
{
    struct partition_key key;
    *ret_name = folder_name(path);
    return partition_of(judge, host, *ret_name, &key)
               ? log_of(judge, host, &key, *ret_name, ret_view)
               : NULL;
}

/* ---- What is cut. ---- */

static void segment_cut(struct judge *judge, const struct host *host, struct span path)
{
    struct epoch_cache *cache = judge->state;
    struct partition_key key;
    const struct span name = folder_name(path);
    if (!partition_of(judge, host, name, &key))
        return;
    struct cut_note *cut = notes_get(&cache->cuts, &key);
    cut->name_length = (uint32_t)name.length;
    memcpy(cut->name, name.data, name.length);
}

/* Nothing is known of what is not there any more; but an epoch may begin where all before went. */
static void cut_judge(struct judge *judge, const struct host *host, const struct cut_note *cut)
{
    struct log_view view;
    struct epoch_start newest;
    const struct span name = span_of(cut->name, cut->name_length);
    const struct log_note *log = log_of(judge, host, &cut->key, name, &view);
    judge->judged++;
    if (log != NULL && is_found(&(struct lookup){.host = host, .log = log}, INT64_MAX, &newest) &&
        newest.offset >= view.end && newest.offset != view.start)
        judge_object(judge,
                     "%.*s: %s has leader epoch %d from offset %lld on in memory, and the log ends "
                     "at offset %lld",
                     SPAN_ARGS(name), host->name, newest.epoch, (long long)newest.offset,
                     (long long)view.end);
}

/* Those that are read and cut by now. */
static void look_at_cuts(struct judge *judge, const struct host *host)
{
    struct epoch_cache *cache = judge->state;
    struct log_view view;
    struct cut_note *next = notes_first(&cache->cuts);
    while (next != NULL) {
        struct cut_note *cut = next;
        next = notes_next(cut);
        if (cut->key.host != host->number || host->broker == NULL ||
            !broker_view_log(host->broker, cut->key.topic, cut->key.index, &view))
            continue;
        cut_judge(judge, host, cut);
        notes_remove(&cache->cuts, cut);
    }
}

/* ---- What is written. ---- */

static void epoch_judge(struct judge *judge, const struct host *host, struct span name,
                        const struct log_note *log, const struct batch_info *info)
{
    const struct image *image = judge_truth(judge);
    if (image == NULL)
        image = durable_image(judge_durable(judge, host));
    const struct meta_topic *topic =
        image == NULL ? NULL : image_topic_by_id(image, log->key.topic);
    const struct meta_partition *meta =
        topic == NULL ? NULL : image_partition(topic, log->key.index);
    if (meta != NULL && info->leader_epoch > meta->leader_epoch)
        judge_object(judge,
                     "%.*s: %s writes offset %lld under leader epoch %d, and the metadata "
                     "have come to epoch %d",
                     SPAN_ARGS(name), host->name, (long long)info->base_offset, info->leader_epoch,
                     meta->leader_epoch);
}

static void segment_written(struct judge *judge, const struct host *host,
                            const struct effect *effect, struct span path)
{
    struct log_view view;
    struct span name;
    struct log_note *log = log_at(judge, host, path, &name, &view);
    for (uint32_t i = 0; log != NULL && i < effect->write.pieces_count; i++) {
        struct span bytes = span_of(effect->write.pieces[i].data, effect->write.pieces[i].length);
        struct span batch;
        struct batch_info info;
        while (bytes.length > 0 &&
               batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, &info) == BATCH_FOUND) {
            if (batch_last_offset(&info) >= view.end)
                return; /* of the topic that had the name before, and goes in this step */
            batch_noted(judge, log, &info);
            epoch_judge(judge, host, name, log, &info);
            compare(judge, &(struct lookup){.host = host, .log = log}, name, view.start,
                    log->end_offset, 1);
            bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
        }
    }
}

/* The epoch of a log of which all is deleted has no record any more, and gives way to the next. */
static bool has_given_way(const struct epoch_start *last, const struct log_note *log, int64_t start)
{
    for (uint32_t i = 0; last->offset == start && i < log->count; i++) {
        if (log->epochs[i].offset == start && log->epochs[i].epoch > last->epoch)
            return true;
    }
    return false;
}

/* What became durable while the file was written may be missing in it: recovery reads that anew. */
static int64_t checkpoint_end(const struct epochs *epochs, const struct log_note *log,
                              const struct log_view *view)
{
    const struct epoch_start *last = &epochs->entries[epochs->count - 1];
    int64_t end = has_given_way(last, log, view->start) ? last->offset : last->offset + 1;
    if (end > view->durable_end)
        end = view->durable_end;
    return end < log->end_offset ? end : log->end_offset;
}

static void checkpoint_put(struct judge *judge, const struct host *host,
                           const struct effect *effect)
{
    struct log_view view;
    struct span name;
    struct epochs epochs;
    const struct log_note *log = log_at(judge, host, effect->path.path_to, &name, &view);
    const struct file_node *file = folder_of(host, effect->path.path);
    if (log == NULL || file == NULL)
        return;
    epochs_init(&epochs, &judge->memory);
    if (epochs_decode(&epochs, span_of(file->visible.data, file->visible.length)) != 0)
        judge_object(judge, "%.*s: %s puts a leader-epoch-checkpoint that cannot be read",
                     SPAN_ARGS(name), host->name);
    else if (epochs.count > 0)
        compare(judge, &(struct lookup){.host = host, .file = &epochs, .log = log}, name,
                view.start, checkpoint_end(&epochs, log, &view), UINT32_MAX);
    epochs_free(&epochs);
}

static bool is_checkpoint(struct span path)
{
    const struct span suffix = SPAN("/leader-epoch-checkpoint");
    return path.length > suffix.length &&
           memcmp(path.data + path.length - suffix.length, suffix.data, suffix.length) == 0;
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    for (uint32_t i = 0; !host->is_rotten && i < host->effects.count; i++) {
        const struct effect *effect = &host->effects.items[i];
        if (effect->kind == EFFECT_RENAME && is_checkpoint(effect->path.path_to))
            checkpoint_put(judge, host, effect);
        if (effect->kind != EFFECT_WRITE && effect->kind != EFFECT_TRUNCATE)
            continue;
        const struct span path = files_path(&host->files, effect);
        if (is_segment(path) && effect->kind == EFFECT_WRITE)
            segment_written(judge, host, effect, path);
        else if (is_segment(path))
            segment_cut(judge, host, path);
    }
    if (event->kind == EVENT_TURN_END && !host->is_rotten)
        look_at_cuts(judge, host);
}

/* What it had written may be lost: what its next process reads counts. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct epoch_cache *cache = judge->state;
    struct log_note *next = notes_first(&cache->logs);
    while (change == HOST_BOOTED && next != NULL) {
        struct log_note *log = next;
        next = notes_next(log);
        if (log->key.host == host->number)
            log_forget(judge, log);
    }
    struct cut_note *next_cut = notes_first(&cache->cuts);
    while (change == HOST_BOOTED && next_cut != NULL) {
        struct cut_note *cut = next_cut;
        next_cut = notes_next(cut);
        if (cut->key.host == host->number)
            notes_remove(&cache->cuts, cut);
    }
}

static void end(struct judge *judge)
{
    struct epoch_cache *cache = judge->state;
    for (struct log_note *log; (log = notes_first(&cache->logs)) != NULL;)
        log_forget(judge, log);
    notes_clear(&cache->cuts);
}

const struct judge_kind judge_epoch_cache = {
    .name = "epoch-cache",
    .rule = "the leader epochs that a broker has of a log, in memory and in "
            "leader-epoch-checkpoint, are those of its batches, and the metadata have come to them",
    .source = "KIP-101, KIP-279: by them followers learn where logs go apart",
    .size = sizeof(struct epoch_cache),
    .begin = begin,
    .stepped = stepped,
    .host_changed = host_changed,
    .end = end,
};
