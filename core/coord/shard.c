/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/shard.h"

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/coord/expiry.h"
#include "core/records/builder.h"
#include "core/wire/error.h"

/* A record that waits for the end of the turn. */
struct shard_record {
    struct shard_record *next;
    struct coord_record record;
    struct coord_write *write; /* done when this record is safe; may be NULL */
    bool starts_batch;
};

static int shard_store(struct group_host *host, struct group *group, struct coord_write *write);

static void shard_emptied(struct group_host *host, struct group *group)
{
    (void)host;
    expiry_watch(group);
}

static void records_forget(struct shard *shard)
{
    shard->records = NULL;
    shard->records_end = &shard->records;
    shard->batch_bytes = 0;
    shard->batch_count = 0;
    arena_reset(&shard->arena);
}

void shard_init(struct shard *shard, struct io *io, const struct group_settings *settings,
                const struct codecs *codecs, struct shard_log *log)
{
    *shard = (struct shard){
        .host = {.io = io, .settings = settings, .store = shard_store, .emptied = shard_emptied},
        .log = log,
        .codecs = codecs,
    };
    map_init(&shard->groups, io->memory, rng_next(&io->rng));
    list_init(&shard->writes);
    arena_init(&shard->arena, io->memory, MEMORY_STATE, SHARD_TURN_BYTES_MAX);
    records_forget(shard);
}

static void writes_fail(struct shard *shard, int error)
{
    struct list *place;
    while ((place = list_pop(&shard->writes)) != NULL) {
        struct coord_write *write = container_of(place, struct coord_write, place);
        write->done(write, error);
    }
}

static void group_forget(struct shard *shard, struct group *group, int error)
{
    map_remove(&shard->groups, &group->node);
    group_remove(group, error);
}

void shard_drop(struct shard *shard, int error)
{
    struct group *group;
    shard->state = SHARD_GONE;
    /* Members are told first, so that a failed write finds its group dead and starts nothing. */
    while ((group = shard_next(shard, NULL)) != NULL)
        group_forget(shard, group, error);
    writes_fail(shard, error);
    map_clear(&shard->groups);
    records_forget(shard);
    if (shard->task.place.next != NULL)
        list_remove(&shard->task.place);
}

struct group *shard_find(const struct shard *shard, struct span group_id)
{
    struct map_node *node = map_find(&shard->groups, group_id);
    return node == NULL ? NULL : container_of(node, struct group, node);
}

struct group *shard_open(struct shard *shard, struct span group_id)
{
    struct group *group = shard_find(shard, group_id);
    if (group != NULL)
        return group;
    group = group_new(&shard->host, group_id);
    map_add(&shard->groups, &group->node, group->id);
    expiry_watch(group);
    return group;
}

struct group *shard_next(const struct shard *shard, const struct group *group)
{
    struct map_node *node = group == NULL ? shard->groups.first : map_next(&group->node);
    return node == NULL ? NULL : container_of(node, struct group, node);
}

struct arena *shard_arena(struct shard *shard)
{
    return &shard->arena;
}

/* Appends the batch that begins with `first`; returns the record behind it. */
static struct shard_record *batch_append(struct shard *shard, struct shard_record *first)
{
    struct io *io = shard->host.io;
    struct shard_record *end = first;
    size_t size = BATCH_HEADER_BYTES;
    int32_t count = 0;
    do {
        size += batch_record_size(count++, 0, end->record.key, end->record.value);
        end = end->next;
    } while (end != NULL && !end->starts_batch);
    struct buffer *buffer = buffer_new(io->memory, MEMORY_STATE, (uint32_t)size);
    struct batch_builder builder;
    batch_builder_start(&builder, buffer->data, size, io->wall_ms, false);
    for (struct shard_record *record = first; record != end; record = record->next)
        batch_builder_add(&builder, io->wall_ms, record->record.key, record->record.value);
    const size_t length = batch_builder_finish(&builder);
    CHECK(length == size);
    int64_t end_offset = 0;
    const int error = shard->log->append(shard->log, buffer, (uint32_t)length, &end_offset);
    buffer_release(buffer);
    if (error != ERR_NONE) {
        shard->state = SHARD_GONE;
        shard->log->failed(shard->log, error);
        return NULL;
    }
    for (struct shard_record *record = first; record != end; record = record->next)
        if (record->write != NULL)
            record->write->end_offset = end_offset;
    return end;
}

/* What the turn brought, in as few batches as it fits into. */
static void turn_append(struct turn_task *task)
{
    struct shard *shard = container_of(task, struct shard, task);
    struct shard_record *record = shard->records;
    while (record != NULL)
        record = batch_append(shard, record);
    records_forget(shard);
    shard_advanced(shard);
}

/* The bytes of `count` records in a batch that has `first_index` before them. */
static size_t records_size(const struct coord_record *records, uint32_t count, int32_t first_index)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += batch_record_size(first_index + (int32_t)i, 0, records[i].key, records[i].value);
    return size;
}

int shard_write(struct shard *shard, const struct coord_record *records, uint32_t count,
                struct coord_write *write)
{
    const size_t batch_bytes_max = shard->log->batch_bytes_max(shard->log);
    if (shard->state != SHARD_ACTIVE)
        return ERR_NOT_COORDINATOR;
    for (uint32_t i = 0; i < count; i++)
        if (span_is_null(records[i].key))
            return ERR_COORDINATOR_NOT_AVAILABLE;
    const size_t alone = BATCH_HEADER_BYTES + records_size(records, count, 0);
    if (alone > batch_bytes_max)
        return ERR_MESSAGE_TOO_LARGE;
    struct shard_record *waiting = arena_array(&shard->arena, count, sizeof(*waiting));
    if (waiting == NULL)
        return ERR_COORDINATOR_NOT_AVAILABLE;
    const size_t more = records_size(records, count, shard->batch_count);
    const bool starts_batch =
        shard->batch_count == 0 || shard->batch_bytes + more > batch_bytes_max;
    shard->batch_bytes = starts_batch ? alone : shard->batch_bytes + more;
    shard->batch_count = starts_batch ? (int32_t)count : shard->batch_count + (int32_t)count;
    for (uint32_t i = 0; i < count; i++) {
        waiting[i] = (struct shard_record){.record = records[i]};
        *shard->records_end = &waiting[i];
        shard->records_end = &waiting[i].next;
    }
    waiting[0].starts_batch = starts_batch;
    if (write != NULL) {
        waiting[count - 1].write = write;
        write->end_offset = -1;
        list_append(&shard->writes, &write->place);
    }
    io_at_turn_end(shard->host.io, &shard->task, turn_append);
    return ERR_NONE;
}

void shard_advanced(struct shard *shard)
{
    if (shard->state != SHARD_ACTIVE)
        return;
    const int64_t high_watermark = shard->log->high_watermark(shard->log);
    while (!list_empty(&shard->writes)) {
        struct coord_write *write = container_of(shard->writes.next, struct coord_write, place);
        if (write->end_offset < 0 || write->end_offset > high_watermark)
            return;
        list_remove(&write->place);
        write->done(write, ERR_NONE);
    }
}

int64_t shard_awaits(const struct shard *shard)
{
    if (list_empty(&shard->writes))
        return -1;
    return container_of(shard->writes.next, struct coord_write, place)->end_offset;
}

/* How the group's clients hear why its metadata could not be written. */
static int shard_store(struct group_host *host, struct group *group, struct coord_write *write)
{
    struct shard *shard = container_of(host, struct shard, host);
    const bool alone = shard->records == NULL;
    const struct coord_record record = record_of_group(&shard->arena, group);
    const int error = shard_write(shard, &record, 1, write);
    if (error != ERR_MESSAGE_TOO_LARGE && !(span_is_null(record.key) && alone))
        return error;
    io_log(host->io, LOG_WARN,
           "a group's members and assignments are larger than a batch of __consumer_offsets may be "
           "group=%.*s members=%u",
           SPAN_ARGS(group->id), map_count(&group->members));
    return ERR_UNKNOWN_SERVER_ERROR;
}

int shard_delete(struct shard *shard, struct group *group, struct coord_write *write)
{
    CHECK(group->state == GROUP_EMPTY);
    const int error = expiry_remove_offsets(shard, group);
    if (error != ERR_NONE)
        return error;
    if (group->in_log || write != NULL) {
        const struct coord_record record = record_of_no_group(&shard->arena, group->id);
        const int group_error = shard_write(shard, &record, 1, write);
        if (group_error != ERR_NONE)
            return group_error;
    }
    group_forget(shard, group, ERR_COORDINATOR_NOT_AVAILABLE);
    return ERR_NONE;
}

void shard_committed(struct group *group, const struct offset_value *value)
{
    /* A deadline that is set already only comes too early, except for a commit with its own. */
    if (!timer_is_set(&group->expiry) || value->expire_ms >= 0)
        expiry_watch(group);
}

void shard_tidy(struct shard *shard, struct group *group)
{
    if (group->state == GROUP_EMPTY && !group->in_log && group->references == 0 &&
        group->offsets.count == 0 && map_count(&group->pending) == 0)
        group_forget(shard, group, ERR_COORDINATOR_NOT_AVAILABLE);
}

void shard_forget_topic(struct shard *shard, struct span topic)
{
    struct group *group = NULL;
    if (shard->state != SHARD_ACTIVE)
        return;
    while ((group = shard_next(shard, group)) != NULL)
        expiry_forget_topic(shard, group, topic);
}
