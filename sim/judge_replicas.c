/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas of a partition are prefixes of one log: where two of them have the same leader epoch at
 * an offset they have the same batch there, and the same before it. The judge looks at what is
 * written to segments. Of each batch it notes, once for all replicas, its records and the epoch of
 * the batch before it: what is the same at every step back is the same as a whole.
 *
 * And what is committed is on all who may come to lead: of the nodes that run, each that is in sync
 * or eligible holds all that any leader ever knew to be committed; and while too few are in sync
 * nothing more is committed. That is looked at partition by partition in turn, one at each step.
 */
#include "core/base/crc32c.h"
#include "core/base/format.h"
#include "core/conf/topic_conf.h"
#include "core/view.h"
#include "sim/file_node.h"
#include "sim/given_up.h"
#include "sim/judge.h"
#include "sim/notes.h"
#include "sim/parts.h"

#define FOLDER_NAME_BYTES 320

/* What was written under one leader epoch; the partition goes by the checksums of its folder's name
 * and of its identity. */
struct epoch_note {
    struct epoch_key {
        uint32_t name;
        uint32_t identity;
        int64_t epoch;
    } key;
    struct batch_marks marks; /* flags: the epoch of the batch before + 1; 0: not known */
};

/* How far one node's log of a partition was written. */
struct tail_note {
    struct tail_key {
        uint32_t name;
        uint32_t identity;
        uint64_t host;
    } key;
    int64_t end_offset;
    int32_t epoch; /* of the last batch */
    bool is_known;
};

/* What is committed of a partition. */
struct committed_note {
    struct partition_key key;
    int64_t high_watermark; /* the highest of any leader */
    struct given_up given_up;
    int64_t ruled_end; /* the metadata up to here say … */
    bool is_cached;    /* … whether its writes are cached */
    /* At the last look, on the node that led: */
    uint64_t seen_number; /* the trace's */
    int64_t seen_watermark;
    int32_t seen_leader;
    int32_t seen_epoch;
};

struct replicas_state {
    struct judge *judge;
    struct image_observer observer;
    struct notes epochs;
    struct notes tails;
    struct notes committed;
    uint64_t turn; /* which partition is looked at next */
};

/* What an unclean election gives up is committed no more. */
static void changed(struct image_observer *observer, const struct image_change *change)
{
    struct replicas_state *state = container_of(observer, struct replicas_state, observer);
    if (change->kind != IMAGE_PARTITION_CHANGED || !change->is_unclean)
        return;
    const struct partition_key key = {.index = change->partition, .topic = change->topic->id};
    struct committed_note *note = notes_get(&state->committed, &key);
    given_up_note(&note->given_up, state->judge, change, &(struct batch_marks){0}, 0);
    if (note->given_up.end < note->high_watermark)
        note->high_watermark = note->given_up.end;
}

static void begin(struct judge *judge)
{
    struct replicas_state *state = judge->state;
    struct memory *memory = &judge->memory;
    state->judge = judge;
    state->observer.changed = changed;
    judge_observe_truth(judge, &state->observer);
    notes_init(&state->epochs, memory, sizeof(struct epoch_note), sizeof(struct epoch_key));
    notes_init(&state->tails, memory, sizeof(struct tail_note), sizeof(struct tail_key));
    notes_init(&state->committed, memory, sizeof(struct committed_note),
               sizeof(struct partition_key));
}

/* ---- What is written. ---- */

/* The checksum of the topic's id in the folder's partition.metadata; false when there is none. */
static bool identity_of(const struct host *host, struct span folder, uint32_t *ret_identity)
{
    char name[FOLDER_NAME_BYTES];
    if (folder.length >= sizeof(name))
        return false;
    memcpy(name, folder.data, folder.length);
    name[folder.length] = '\0';
    for (uint32_t i = 0; i < FILES_FOLDERS_MAX; i++) {
        const struct file_node *node =
            host->files.roots[i] == NULL
                ? NULL
                : entries_get(&host->files.roots[i]->visible_entries, name);
        const struct file_node *file =
            node == NULL ? NULL : entries_get(&node->visible_entries, "partition.metadata");
        if (file == NULL || file->visible.length == 0)
            continue;
        *ret_identity = crc32c(0, file->visible.data, file->visible.length);
        return true;
    }
    return false;
}

/* The partition's folder that a segment's path names; false for other files. */
static bool folder_of(struct span path, struct span *ret_folder)
{
    const struct span suffix = SPAN(".log");
    const uint8_t *slash = memchr(path.data, '/', path.length);
    if (slash == NULL || path.length < suffix.length ||
        memcmp(path.data + path.length - suffix.length, suffix.data, suffix.length) != 0)
        return false;
    *ret_folder = span_of(path.data, (size_t)(slash - path.data));
    return !span_equal(*ret_folder, SPAN("__cluster_metadata-0"));
}

static void batch_written(struct judge *judge, const struct host *host, struct span folder,
                          struct tail_note *tail, struct span batch, const struct batch_info *info)
{
    struct replicas_state *state = judge->state;
    const struct epoch_key key = {tail->key.name, tail->key.identity, info->leader_epoch};
    struct epoch_note *note = notes_get(&state->epochs, &key);
    struct batch_mark mark = batch_mark_of(batch, info->base_offset);
    if (tail->is_known && tail->end_offset == mark.base_offset && info->leader_epoch < tail->epoch)
        judge_object(judge, "%.*s: %s writes offset %lld under leader epoch %d, behind epoch %d",
                     SPAN_ARGS(folder), host->name, (long long)mark.base_offset, info->leader_epoch,
                     tail->epoch);
    if (tail->is_known && tail->end_offset == mark.base_offset)
        mark.flags = (uint32_t)(tail->epoch + 1);
    tail->is_known = true;
    tail->end_offset = mark.last_offset + 1;
    tail->epoch = info->leader_epoch;
    judge->judged++;
    const uint32_t place = batch_marks_at(&note->marks, mark.base_offset);
    struct batch_mark *known = place == note->marks.count ? NULL : &note->marks.items[place];
    if (known == NULL || known->base_offset > mark.last_offset) {
        batch_marks_insert(&note->marks, &judge->memory, place, mark);
        return;
    }
    if (known->base_offset != mark.base_offset || known->last_offset != mark.last_offset ||
        known->records != mark.records)
        judge_object(judge,
                     "%.*s: %s has other records at offsets %lld to %lld than a replica of leader "
                     "epoch %d has at %lld to %lld",
                     SPAN_ARGS(folder), host->name, (long long)mark.base_offset,
                     (long long)mark.last_offset, info->leader_epoch, (long long)known->base_offset,
                     (long long)known->last_offset);
    else if (known->flags != 0 && mark.flags != 0 && known->flags != mark.flags)
        judge_object(judge,
                     "%.*s: before offset %lld of leader epoch %d %s has epoch %d, and another "
                     "replica epoch %d",
                     SPAN_ARGS(folder), (long long)mark.base_offset, info->leader_epoch, host->name,
                     (int)mark.flags - 1, (int)known->flags - 1);
    else if (known->flags == 0)
        known->flags = mark.flags;
}

/* The note of the log whose segment an effect is of, and its folder; NULL for other files. */
static struct tail_note *tail_of(struct judge *judge, const struct host *host,
                                 const struct effect *effect, struct span *ret_folder)
{
    struct replicas_state *state = judge->state;
    struct tail_key key = {.host = host->number};
    if (!folder_of(files_path(&host->files, effect), ret_folder) ||
        !identity_of(host, *ret_folder, &key.identity))
        return NULL;
    key.name = crc32c(0, ret_folder->data, ret_folder->length);
    return notes_get(&state->tails, &key);
}

/* Its end is cut off, or all of it goes where it begins again: what is deleted as too old has
 * another name by then. */
static void segment_removed(struct judge *judge, const struct host *host,
                            const struct effect *effect)
{
    struct span folder;
    struct tail_note *tail = tail_of(judge, host, effect, &folder);
    if (tail != NULL)
        tail->is_known = false;
}

static void segment_written(struct judge *judge, const struct host *host,
                            const struct effect *effect)
{
    struct span folder;
    struct tail_note *tail = tail_of(judge, host, effect, &folder);
    for (uint32_t i = 0; tail != NULL && i < effect->write.pieces_count; i++) {
        struct span bytes = span_of(effect->write.pieces[i].data, effect->write.pieces[i].length);
        struct span batch;
        struct batch_info info;
        while (bytes.length > 0 &&
               batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, &info) == BATCH_FOUND) {
            batch_written(judge, host, folder, tail, batch, &info);
            bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
        }
    }
}

/* ---- What is committed. ---- */

/* Some node may still answer as if writes were cached. */
static bool was_cached(const struct judge *judge, const struct meta_topic *topic)
{
    const struct sim *sim = judge->sim;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        if (durable_is_cached(judge_durable(judge, sim->hosts[i]), topic->id))
            return true;
    }
    return false;
}

/* By the settings at the end of the metadata, which are looked up once for each end. */
static bool is_cached(struct committed_note *note, const struct image *image,
                      const struct meta_topic *topic)
{
    struct topic_conf_agreed rules;
    if (note->ruled_end != image->end_offset) {
        image_topic_rules(image, topic, &rules);
        note->ruled_end = image->end_offset;
        note->is_cached = rules.write_caching;
    }
    return note->is_cached;
}

static uint32_t isr_least(const struct image *image, const struct meta_topic *topic,
                          const struct meta_partition *meta)
{
    struct topic_conf_agreed rules;
    image_topic_rules(image, topic, &rules);
    return meta_isr_least(rules.min_insync_replicas, meta->replicas_count);
}

/* The node says that it leads, as far as it knows: then its high watermark counts. */
static void leader_seen(struct judge *judge, struct committed_note *note, const struct host *host,
                        const struct meta_topic *topic)
{
    struct log_view view;
    const struct durable *durable = judge_durable(judge, host);
    const struct image *own = durable_image(durable);
    const struct meta_topic *own_topic = own == NULL ? NULL : image_topic_by_id(own, topic->id);
    const struct meta_partition *meta =
        own_topic == NULL ? NULL : image_partition(own_topic, note->key.index);
    if (meta == NULL || meta->leader != (int32_t)host->number ||
        meta->leader_epoch < note->given_up.leader_epoch ||
        !broker_view_log(host->broker, topic->id, note->key.index, &view))
        return;
    judge->judged++;
    if (note->seen_leader == meta->leader && note->seen_epoch == meta->partition_epoch &&
        durable_cluster_is_steady(durable, note->seen_number) &&
        view.high_watermark > note->seen_watermark &&
        meta->isr_count < isr_least(own, own_topic, meta))
        judge_object(judge,
                     "%.*s-%d: %s commits up to offset %lld with %u replicas in sync, where %u "
                     "have to be",
                     SPAN_ARGS(topic->name), note->key.index, host->name,
                     (long long)view.high_watermark, meta->isr_count,
                     isr_least(own, own_topic, meta));
    note->seen_number = judge->sim->trace_number;
    note->seen_leader = meta->leader;
    note->seen_epoch = meta->partition_epoch;
    note->seen_watermark = view.high_watermark;
    if (view.high_watermark > note->high_watermark)
        note->high_watermark = view.high_watermark;
}

/* With another disk it has yet to register, and is in sync no longer when it has. */
static bool has_its_disk(const struct judge *judge, const struct host *host)
{
    struct disk_view disk;
    return judge_disk(judge, host, &disk) && disk.number == host->disk.number;
}

static void member_seen(struct judge *judge, const struct committed_note *note, int32_t id,
                        const struct meta_topic *topic)
{
    struct log_view view;
    const struct host *host = judge->sim->hosts[id - 1];
    if (host->broker == NULL || !broker_view_log(host->broker, topic->id, note->key.index, &view))
        return;
    judge->judged++;
    if (view.end < note->high_watermark && has_its_disk(judge, host))
        judge_object(judge,
                     "%.*s-%d: %s may come to lead, and its log ends at offset %lld, though all "
                     "before %lld is committed",
                     SPAN_ARGS(topic->name), note->key.index, host->name, (long long)view.end,
                     (long long)note->high_watermark);
}

static void partition_look(struct judge *judge, const struct host *host, const struct image *image,
                           const struct meta_topic *topic, int32_t index)
{
    struct replicas_state *state = judge->state;
    const struct meta_partition *meta = image_partition(topic, index);
    const struct partition_key key = {.index = index, .topic = topic->id};
    if (meta->replicas_count < 2 || was_cached(judge, topic))
        return;
    struct committed_note *note = notes_get(&state->committed, &key);
    if (is_cached(note, image, topic))
        return;
    if (host->broker != NULL)
        leader_seen(judge, note, host, topic);
    for (uint32_t i = 0; i < meta->isr_count; i++)
        member_seen(judge, note, meta_isr(meta)[i], topic);
    for (uint32_t i = 0; i < meta->elr_count; i++)
        member_seen(judge, note, meta_elr(meta)[i], topic);
}

/* The next partition in turn. */
static void look(struct judge *judge, const struct host *host)
{
    struct replicas_state *state = judge->state;
    const struct image *image = judge_truth(judge);
    if (image == NULL || image->partitions_count == 0)
        return;
    uint64_t left = state->turn++ % (uint64_t)image->partitions_count;
    for (const struct meta_topic *topic = image_first_topic(image); topic != NULL;
         topic = image_next_topic(topic)) {
        if (left < (uint64_t)topic->partitions_count) {
            partition_look(judge, host, image, topic, (int32_t)left);
            return;
        }
        left -= (uint64_t)topic->partitions_count;
    }
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    for (uint32_t i = 0; i < host->effects.count; i++) {
        const struct effect *effect = &host->effects.items[i];
        if (effect->kind == EFFECT_WRITE)
            segment_written(judge, host, effect);
        else if (effect->kind == EFFECT_REMOVE)
            segment_removed(judge, host, effect);
    }
    if (event->kind == EVENT_TURN_END)
        look(judge, host);
}

/* What it had written may be lost, and is cut or written anew by whoever is next. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct replicas_state *state = judge->state;
    if (change != HOST_BOOTED)
        return;
    for (struct tail_note *tail = notes_first(&state->tails); tail != NULL;
         tail = notes_next(tail)) {
        if (tail->key.host == host->number)
            tail->is_known = false;
    }
}

static void end(struct judge *judge)
{
    struct replicas_state *state = judge->state;
    list_remove(&state->observer.place);
    for (struct epoch_note *note = notes_first(&state->epochs); note != NULL;
         note = notes_next(note))
        batch_marks_free(&note->marks, &judge->memory);
    notes_clear(&state->epochs);
    notes_clear(&state->tails);
    notes_clear(&state->committed);
}

const struct judge_kind judge_replicas = {
    .name = "replicas",
    .rule = "epochs never fall along a log, replicas with the same epoch at an offset are the same "
            "up to there, who may come to "
            "lead holds all that is committed, and too small an ISR commits nothing",
    .source = "Raft's log matching; KIP-101, KIP-279; KIP-497: StrongIsr; KIP-966",
    .size = sizeof(struct replicas_state),
    .is_of_cluster = true,
    .begin = begin,
    .stepped = stepped,
    .host_changed = host_changed,
    .end = end,
};
