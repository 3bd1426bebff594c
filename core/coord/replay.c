/* SPDX-License-Identifier: Apache-2.0 */
/* A shard's state, built from its records. */
#include "core/coord/expiry.h"
#include "core/coord/shard.h"
#include "core/records/record.h"
#include "core/wire/error.h"

static void replay_offset(struct shard *shard, const struct coord_entry *entry)
{
    struct group *group = shard_find(shard, entry->group_id);
    if (!entry->deleted)
        offsets_set(&shard_open(shard, entry->group_id)->offsets, entry->topic, entry->partition,
                    &entry->offset);
    else if (group != NULL)
        offsets_remove(&group->offsets, entry->topic, entry->partition);
}

static int32_t not_negative(int32_t number)
{
    return number < 0 ? 0 : number;
}

static void replay_member(struct group *group, const struct group_metadata_value *value,
                          const struct group_metadata_value_member *member)
{
    const struct group_protocol protocol = {
        .name = span_is_null(value->protocol) ? SPAN("") : value->protocol,
        .metadata = member->subscription,
    };
    const struct group_join join = {
        .member_id = member->member_id,
        .instance_id = member->group_instance_id,
        .client_id = member->client_id,
        .client_host = member->client_host,
        .protocol_type = value->protocol_type,
        .protocols = &protocol,
        .protocols_count = 1,
        .session_timeout_ms = not_negative(member->session_timeout),
        .rebalance_timeout_ms = member->rebalance_timeout,
    };
    group_restore_member(group, &join, member->assignment);
}

static void replay_group(struct shard *shard, const struct coord_entry *entry)
{
    const struct group_metadata_value *value = &entry->group;
    struct group *group =
        entry->deleted ? shard_find(shard, entry->group_id) : shard_open(shard, entry->group_id);
    if (group == NULL)
        return;
    if (entry->deleted) {
        group_restore(group, 0, SPAN_NULL, SPAN_NULL, -1);
        group_restored(group, SPAN_NULL);
        group->in_log = false;
        return;
    }
    group_restore(group, value->generation, value->protocol_type, value->protocol,
                  value->current_state_timestamp);
    for (int32_t i = 0; i < value->members_count; i++)
        replay_member(group, value, &value->members[i]);
    group_restored(group, value->leader);
    group->in_log = true;
}

static void replay_record(struct shard *shard, const struct record *record, struct arena *arena)
{
    struct coord_entry entry;
    if (record_read(record->key, record->value, arena, &entry) != ERR_NONE) {
        shard->unread_count++;
        return;
    }
    if (entry.kind == COORD_RECORD_OFFSET)
        replay_offset(shard, &entry);
    else if (entry.kind == COORD_RECORD_GROUP)
        replay_group(shard, &entry);
}

/* The batch as it was appended, opened for reading; false when it is damaged, or compressed by
 * something that nobody here can read. */
static bool batch_open(const struct shard *shard, struct span batch, struct arena *arena,
                       struct record_cursor *ret_cursor)
{
    struct batch_info info;
    struct span found;
    if (batch_next(batch, batch.length, BATCH_CHECK_CRC, &found, &info) != BATCH_FOUND ||
        (batch_codec(&info) != CODEC_NONE && shard->codecs == NULL))
        return false;
    return record_cursor_open(found, shard->codecs, SHARD_REPLAY_BYTES_MAX, arena, ret_cursor) ==
           ERR_NONE;
}

void shard_replay(struct shard *shard, struct span batch)
{
    struct arena arena;
    struct record_cursor cursor;
    struct record record;
    arena_init(&arena, shard->host.io->memory, MEMORY_REQUEST, SHARD_REPLAY_BYTES_MAX);
    const bool open = batch_open(shard, batch, &arena, &cursor);
    while (open && record_next(&cursor, &record))
        replay_record(shard, &record, &arena);
    if (!open || cursor.error != ERR_NONE)
        shard->unread_count++;
    arena_reset(&arena);
}

void shard_loaded(struct shard *shard)
{
    struct group *next = NULL;
    shard->state = SHARD_ACTIVE;
    if (shard->unread_count > 0)
        io_log(shard->host.io, LOG_WARN,
               "records of __consumer_offsets were left out, for they cannot be read count=%u",
               shard->unread_count);
    for (struct group *group = shard_next(shard, NULL); group != NULL; group = next) {
        next = shard_next(shard, group);
        if (group->offsets.count == 0 && !group->in_log) {
            shard_tidy(shard, group);
            continue;
        }
        group_resume(group);
        expiry_watch(group);
    }
}
