/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At some moments of a run the power might have gone just then: a copy of the machine's disk loses
 * it, a fresh broker starts on what is left, and is asked over the wire. It has to come to serve,
 * with every topic that its metadata log holds, every batch as it lies in its segments and at least
 * those that were promised, and the offsets that groups committed last.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/crc32c.h"
#include "core/coord/coordinator.h"
#include "core/coord/record.h"
#include "core/log/checkpoint.h"
#include "core/records/record.h"
#include "core/wire/error.h"
#include "sim/bare.h"
#include "sim/chance.h"
#include "sim/durable_log.h"
#include "sim/file_node.h"
#include "sim/judge.h"
#include "sim/memory.h"
#include "sim/notes.h"
#include "sim/parts.h"

#define ACKS_ALL             (-1)
#define MOMENTS              2 /* of a run */
#define DRAWS                2 /* power losses at each */
#define TRIES                8 /* until a broker has read what it is asked about */
#define METADATA_VERSION     12
#define LIST_OFFSETS_VERSION 6
#define FETCH_VERSION        11
#define OFFSET_FETCH_VERSION 7
#define FETCH_BYTES          (1024 * 1024)
#define ARENA_BYTES_MAX      ((size_t)64 * 1024 * 1024)
#define GROUPS_MAX           16

struct promise {
    struct partition_key key;
    int64_t end; /* below it, everything may be lost no more */
};

/* The last commit of a group for a partition that the disk holds. */
struct last {
    struct last_key {
        uint32_t group;
        uint32_t topic;
        uint64_t partition;
    } key;
    int64_t offset;
    bool is_gone;
    bool is_told;
    bool expires; /* at a time that its request named: while the fresh broker is asked, perhaps */
};

struct images {
    struct chance rng;
    struct notes promises;
    uint64_t moments_us[MOMENTS];
    uint32_t moments_count;
    char *groups[GROUPS_MAX];
    uint32_t groups_count;
};

/* What the disk holds of a partition. */
struct held {
    const struct meta_topic *topic;
    int32_t index;
    struct batch_marks marks;
};

/* One look at what a power loss leaves. */
struct look {
    struct judge *judge;
    struct host host; /* the machine with the disk that lost power: settings, number and files */
    struct durable *durable;
    const struct image *image;
    struct bare *bare;
    struct memory memory;
    struct arena arena;
    struct notes lasts;
    struct held *helds;
    uint32_t helds_count;
    bool is_silent; /* some group could not be asked */
};

static void begin(struct judge *judge)
{
    struct images *images = judge->state;
    chance_stream(&images->rng, &judge->sim->source, "images", 0);
    notes_init(&images->promises, &judge->memory, sizeof(struct promise),
               sizeof(struct partition_key));
}

/* ---- What the disk holds. ---- */

static void last_put(struct look *look, const struct coord_entry *entry)
{
    const struct last_key key = {crc32c(0, entry->group_id.data, entry->group_id.length),
                                 crc32c(0, entry->topic.data, entry->topic.length),
                                 (uint64_t)(int64_t)entry->partition};
    struct last *last = notes_get(&look->lasts, &key);
    last->offset = entry->offset.offset;
    last->is_gone = entry->deleted;
    last->expires = !entry->deleted && entry->offset.expire_ms >= 0;
}

static void commits_read(struct look *look, struct span batch)
{
    struct record_cursor cursor;
    struct record record;
    struct coord_entry entry;
    if (record_cursor_open(batch, NULL, 0, NULL, &cursor) != ERR_NONE)
        return;
    while (record_next(&cursor, &record)) {
        if (record_read(record.key, record.value, &look->arena, &entry) == ERR_NONE &&
            entry.kind == COORD_RECORD_OFFSET)
            last_put(look, &entry);
        arena_reset(&look->arena);
    }
}

/* The folder says whose it is; else its making was cut short, or it is of a topic that is gone, and
 * a broker sets it aside. */
static bool folder_is_of(const struct look *look, const struct held *held)
{
    char path[DURABLE_LOG_NAME_BYTES + sizeof("/partition.metadata")];
    struct uuid id;
    snprintf(path, sizeof(path), "%.*s-%d/partition.metadata", (int)held->topic->name.length,
             (const char *)held->topic->name.data, held->index);
    for (uint32_t i = 0; i < FILES_FOLDERS_MAX; i++) {
        const struct file_node *file = files_durable(&look->host.files, i, path);
        if (file != NULL && !file->is_folder &&
            partition_metadata_read(span_of(file->durable.data, file->durable.length), &id) ==
                ERR_NONE)
            return uuid_equal(id, held->topic->id);
    }
    return false;
}

/* The batches of a partition, and the commits in them. */
static void log_read_all(struct look *look, struct held *held)
{
    struct durable_log log;
    struct span batch;
    struct batch_info info;
    if (!folder_is_of(look, held))
        return;
    durable_log_init(&log, held->topic->name, held->index);
    do { /* old segments may be gone in any order */
        while (durable_log_next(&log, &look->host.files, &batch, &info) == DURABLE_BATCH) {
            batch_marks_insert(&held->marks, &look->memory, held->marks.count,
                               batch_mark_of(batch, info.base_offset));
            if (span_equal(held->topic->name, SPAN(COORDINATOR_TOPIC)))
                commits_read(look, batch);
        }
    } while (durable_log_skip(&log, &look->host.files));
}

static void disk_read_all(struct look *look)
{
    look->helds = sim_allocate(NULL, (size_t)look->image->partitions_count * sizeof(*look->helds));
    for (const struct meta_topic *topic = image_first_topic(look->image); topic != NULL;
         topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            struct held *held = &look->helds[look->helds_count++];
            *held = (struct held){.topic = topic, .index = i};
            log_read_all(look, held);
        }
    }
}

/* ---- What the broker answers. ---- */

static void disagrees(struct look *look, const struct meta_topic *topic, int32_t index,
                      const char *what, long long told, long long is)
{
    judge_object(look->judge,
                 "after a power loss now, a broker on the disk of n%u tells of %.*s-%d: %s %lld, "
                 "and %lld is on the disk or was promised",
                 look->host.number, (int)topic->name.length, (const char *)topic->name.data, index,
                 what, told, is);
}

static void judge_topics(struct look *look)
{
    struct metadata_request request;
    wire_defaults(&wire_metadata_request, &request);
    request.topics_count = -1;
    request.allow_auto_topic_creation = false;
    const struct metadata_response *response =
        bare_ask(look->bare, API_METADATA, METADATA_VERSION, &request, &look->arena);
    for (const struct meta_topic *topic = image_first_topic(look->image); topic != NULL;
         topic = image_next_topic(topic)) {
        int32_t partitions = 0;
        for (int32_t i = 0; response != NULL && i < response->topics_count; i++) {
            if (uuid_equal(response->topics[i].topic_id, topic->id))
                partitions = response->topics[i].partitions_count;
        }
        look->judge->judged++;
        if (partitions != topic->partitions_count)
            disagrees(look, topic, -1, "partitions", partitions, topic->partitions_count);
    }
    arena_reset(&look->arena);
}

/* One end of a log; −1 when there is no answer. */
static int64_t offset_of(struct look *look, const struct meta_topic *topic, int32_t index,
                         int64_t timestamp)
{
    struct list_offsets_request_topic_partition partition =
        wire_default_list_offsets_request_topic_partition;
    partition.partition_index = index;
    partition.timestamp = timestamp;
    struct list_offsets_request_topic asked = {
        .name = topic->name, .partitions = &partition, .partitions_count = 1};
    struct list_offsets_request request;
    wire_defaults(&wire_list_offsets_request, &request);
    request.topics = &asked;
    request.topics_count = 1;
    const struct list_offsets_response *response =
        bare_ask(look->bare, API_LIST_OFFSETS, LIST_OFFSETS_VERSION, &request, &look->arena);
    int64_t offset = -1;
    if (response != NULL && response->topics_count == 1 &&
        response->topics->partitions_count == 1 &&
        response->topics->partitions->error_code == ERR_NONE)
        offset = response->topics->partitions->offset;
    arena_reset(&look->arena);
    return offset;
}

/* The records from an offset on; null when there is no answer. In the arena. */
static struct span fetch(struct look *look, const struct meta_topic *topic, int32_t index,
                         int64_t offset)
{
    struct fetch_request_topic_partition partition = wire_default_fetch_request_topic_partition;
    partition.partition = index;
    partition.fetch_offset = offset;
    partition.partition_max_bytes = FETCH_BYTES;
    struct fetch_request_topic asked = {
        .topic = topic->name, .partitions = &partition, .partitions_count = 1};
    struct fetch_request request;
    wire_defaults(&wire_fetch_request, &request);
    request.topics = &asked;
    request.topics_count = 1;
    const struct fetch_response *response =
        bare_ask(look->bare, API_FETCH, FETCH_VERSION, &request, &look->arena);
    if (response == NULL || response->responses_count != 1 ||
        response->responses->partitions_count != 1 ||
        response->responses->partitions->error_code != ERR_NONE)
        return SPAN_NULL;
    return response->responses->partitions->records;
}

/* Every batch from `offset` on is one that the disk holds; where they end. */
static int64_t batches_agree(struct look *look, const struct meta_topic *topic, int32_t index,
                             const struct batch_marks *marks, int64_t offset)
{
    const struct span records = fetch(look, topic, index, offset);
    struct span batch;
    struct batch_info info;
    size_t at = 0;
    while (at < records.length &&
           batch_next(span_of(records.data + at, records.length - at), records.length - at,
                      BATCH_CHECK_CRC, &batch, &info) == BATCH_FOUND) {
        const struct batch_mark told = batch_mark_of(batch, info.base_offset);
        const uint32_t place = batch_marks_at(marks, info.base_offset);
        const struct batch_mark *mark = &marks->items[place];
        look->judge->judged++;
        if (place == marks->count || mark->base_offset != told.base_offset ||
            mark->last_offset != told.last_offset || mark->records != told.records)
            disagrees(look, topic, index, "other records at offset", info.base_offset,
                      place == marks->count ? -1 : (long long)mark->base_offset);
        offset = told.last_offset + 1;
        at += batch.length;
    }
    arena_reset(&look->arena);
    return offset;
}

static void judge_partition(struct look *look, const struct held *held)
{
    const struct images *images = look->judge->state;
    const struct meta_topic *topic = held->topic;
    const int32_t index = held->index;
    const struct partition_key key = {look->host.number, index, topic->id};
    const struct promise *promise = notes_find(&images->promises, &key);
    const int64_t promised = promise == NULL ? 0 : promise->end;
    int64_t at = offset_of(look, topic, index, -2);
    const int64_t end = offset_of(look, topic, index, -1);
    look->judge->judged++;
    if (at < 0 || end < promised) {
        disagrees(look, topic, index, "an end at offset", end, promised);
        return;
    }
    while (at < end && !sim_is_over(look->judge->sim)) {
        int64_t next = batches_agree(look, topic, index, &held->marks, at);
        /* Retention may have removed what was there when the start was told. */
        if (next == at)
            next = offset_of(look, topic, index, -2);
        if (next <= at) {
            disagrees(look, topic, index, "nothing at offset", at, end);
            return;
        }
        at = next;
    }
}

static void offset_told(struct look *look, const char *group, struct span topic, int32_t partition,
                        int64_t offset)
{
    const struct span group_id = span_text(group);
    const struct last_key key = {crc32c(0, group_id.data, group_id.length),
                                 crc32c(0, topic.data, topic.length), (uint64_t)(int64_t)partition};
    struct last *last = notes_find(&look->lasts, &key);
    look->judge->judged++;
    if (last != NULL)
        last->is_told = true;
    if (last == NULL || last->is_gone || last->offset != offset)
        judge_object(look->judge,
                     "after a power loss now, a broker on the disk of n%u tells that group %s has "
                     "committed offset %lld of %.*s-%d, and the disk holds %lld",
                     look->host.number, group, (long long)offset, (int)topic.length,
                     (const char *)topic.data, partition,
                     last == NULL || last->is_gone ? -1LL : (long long)last->offset);
}

static void judge_group(struct look *look, const char *group)
{
    struct offset_fetch_request request;
    wire_defaults(&wire_offset_fetch_request, &request);
    request.group_id = span_text(group);
    request.topics_count = -1;
    const struct offset_fetch_response *response = NULL;
    for (uint32_t i = 0; i < TRIES && (response == NULL || response->error_code != 0); i++)
        response =
            bare_ask(look->bare, API_OFFSET_FETCH, OFFSET_FETCH_VERSION, &request, &look->arena);
    if (response == NULL || response->error_code != 0) {
        look->is_silent = true;
        return;
    }
    for (int32_t i = 0; i < response->topics_count; i++) {
        for (int32_t j = 0; j < response->topics[i].partitions_count; j++)
            offset_told(look, group, response->topics[i].name,
                        response->topics[i].partitions[j].partition_index,
                        response->topics[i].partitions[j].committed_offset);
    }
    arena_reset(&look->arena);
}

/* A commit of one of the groups that were asked about, of a topic that is there, was left out. */
static void judge_left_out(struct look *look)
{
    const struct images *images = look->judge->state;
    for (const struct last *last = notes_first(&look->lasts); last != NULL;
         last = notes_next(last)) {
        bool is_asked = false;
        bool is_there = false;
        for (uint32_t i = 0; i < images->groups_count; i++) {
            const struct span group = span_text(images->groups[i]);
            is_asked = is_asked || crc32c(0, group.data, group.length) == last->key.group;
        }
        for (const struct meta_topic *topic = image_first_topic(look->image); topic != NULL;
             topic = image_next_topic(topic))
            is_there =
                is_there || crc32c(0, topic->name.data, topic->name.length) == last->key.topic;
        if (is_asked && is_there && !last->is_gone && !last->is_told && !last->expires)
            judge_object(look->judge,
                         "after a power loss now, a broker on the disk of n%u leaves out a "
                         "committed offset of partition %llu, %lld",
                         look->host.number, (unsigned long long)last->key.partition,
                         (long long)last->offset);
    }
}

/* ---- Moments. ---- */

static void ask_all(struct look *look)
{
    const struct images *images = look->judge->state;
    judge_topics(look);
    for (uint32_t i = 0; i < look->helds_count; i++)
        judge_partition(look, &look->helds[i]);
    /* Of what the page cache alone had held, a tear may cut more than it has damaged. */
    if (durable_commits_are_cached(look->durable))
        return;
    for (uint32_t i = 0; i < images->groups_count; i++)
        judge_group(look, images->groups[i]);
    if (!look->is_silent)
        judge_left_out(look);
}

static void look_end(struct look *look)
{
    bare_free(look->bare);
    for (uint32_t i = 0; i < look->helds_count; i++)
        batch_marks_free(&look->helds[i].marks, &look->memory);
    free(look->helds);
    notes_clear(&look->lasts);
    arena_reset(&look->arena);
    durable_free(look->durable);
    files_free(&look->host.files);
}

/* The power goes, on a copy of the disk. */
static void look_at(struct judge *judge, const struct host *host)
{
    struct images *images = judge->state;
    struct look look = {.judge = judge, .host = *host};
    char why[VIOLATION_TEXT_BYTES / 2];
    files_clone(&look.host.files, &host->files, &images->rng);
    files_power_loss(&look.host.files);
    memory_init(&look.memory, sim_allocator());
    arena_init(&look.arena, &look.memory, MEMORY_STATE, ARENA_BYTES_MAX);
    notes_init(&look.lasts, &look.memory, sizeof(struct last), sizeof(struct last_key));
    look.durable = durable_new(&look.host, NULL);
    durable_update(look.durable, 0);
    look.image = durable_image(look.durable);
    if (look.image != NULL) {
        disk_read_all(&look);
        look.bare = bare_boot(&host->conf, &look.host.files, host_wall_ms(host), why, sizeof(why));
        judge->judged++;
        if (look.bare == NULL)
            judge_object(judge, "after a power loss now, no broker starts on the disk of %s: %s",
                         host->name, why);
        else
            ask_all(&look);
    }
    look_end(&look);
}

static void promise(struct judge *judge, const struct partition_key *key, int64_t end)
{
    struct images *images = judge->state;
    struct promise *promise = notes_get(&images->promises, key);
    if (promise->end < end)
        promise->end = end;
}

static void produce_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct durable *durable = judge_durable(judge, exchange->host);
    struct produced_walk walk = {.exchange = exchange, .durable = durable};
    struct produced part;
    if (((const struct produce_request *)exchange->request)->acks != ACKS_ALL)
        return;
    while (produced_next(&walk, &part)) {
        if (part.reply->error_code == ERR_NONE && part.topic != NULL &&
            !durable_is_cached(durable, part.topic->id))
            promise(judge, &part.key,
                    batch_mark_of(part.batch, part.reply->base_offset).last_offset + 1);
    }
}

static void group_committed(struct judge *judge, struct span group)
{
    struct images *images = judge->state;
    for (uint32_t i = 0; i < images->groups_count; i++) {
        if (span_equal(group, span_text(images->groups[i])))
            return;
    }
    if (images->groups_count < GROUPS_MAX)
        images->groups[images->groups_count++] =
            sim_text_copy((const char *)group.data, group.length);
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    struct images *images = judge->state;
    if (exchange->host->is_rotten)
        return;
    if (exchange->api->key == API_PRODUCE)
        produce_replied(judge, exchange);
    else if (exchange->api->key == API_OFFSET_COMMIT)
        group_committed(judge, ((const struct offset_commit_request *)exchange->request)->group_id);
    if (images->moments_count == 0 ||
        judge->sim->now_us < images->moments_us[images->moments_count - 1])
        return;
    images->moments_count--;
    for (uint32_t i = 0; i < DRAWS && !sim_is_over(judge->sim); i++)
        look_at(judge, exchange->host);
}

static void phase(struct judge *judge, enum sim_phase now)
{
    struct images *images = judge->state;
    const struct sim *sim = judge->sim;
    if (now != SIM_LOAD)
        return;
    for (uint32_t i = 0; i < MOMENTS; i++) {
        const uint64_t at_us = chance_between(&images->rng, sim->now_us, sim->phase_ends_us);
        uint32_t place = images->moments_count++;
        for (; place > 0 && images->moments_us[place - 1] < at_us; place--)
            images->moments_us[place] = images->moments_us[place - 1];
        images->moments_us[place] = at_us; /* the last one is the next one */
    }
}

static void end(struct judge *judge)
{
    struct images *images = judge->state;
    notes_clear(&images->promises);
    for (uint32_t i = 0; i < images->groups_count; i++)
        free(images->groups[i]);
}

const struct judge_kind judge_images = {
    .name = "images",
    .rule = "a fresh broker on what a power loss would leave of a disk agrees with everything that "
            "was promised by then",
    .source = "crash consistency by power-loss images (ALICE, OSDI'14); KIP-966",
    .size = sizeof(struct images),
    .is_of_one_node = true,
    .begin = begin,
    .replied = replied,
    .phase = phase,
    .end = end,
};
