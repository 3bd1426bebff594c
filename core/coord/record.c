/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/record.h"

#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

/* The numbers in front of keys. */
#define KEY_OF_OFFSET 1
#define KEY_OF_GROUP  2

/* Versions of values, as Kafka 4.3 writes them: an own expiry needs version 1, which later ones
 * lack, and a topic id version 4. */
#define OFFSET_VALUE_WITH_EXPIRY   1
#define OFFSET_VALUE               3
#define OFFSET_VALUE_WITH_TOPIC_ID 4
#define GROUP_VALUE                3

#define KEY_VERSION 0

static struct span encode(struct arena *arena, const struct wire_schema *schema, int16_t version,
                          const void *message)
{
    const size_t size = wire_record_size(schema, version, message);
    struct wire_writer writer = {.data = arena_take(arena, size), .capacity = size};
    if (writer.data == NULL || wire_encode_record(schema, version, message, &writer) != ERR_NONE)
        return SPAN_NULL;
    return span_of(writer.data, size);
}

static int16_t offset_value_version(const struct offset_value *value)
{
    if (value->expire_ms >= 0)
        return OFFSET_VALUE_WITH_EXPIRY;
    return uuid_is_zero(value->topic_id) ? OFFSET_VALUE : OFFSET_VALUE_WITH_TOPIC_ID;
}

struct coord_record record_of_offset(struct arena *arena, struct span group_id, struct span topic,
                                     int32_t partition, const struct offset_value *value)
{
    const struct offset_commit_key key = {group_id, topic, partition};
    struct coord_record record = {.key = encode(arena, &wire_offset_commit_key, KEY_VERSION, &key)};
    if (value == NULL || span_is_null(record.key))
        return record;
    struct offset_commit_value message;
    wire_defaults(&wire_offset_commit_value, &message);
    message.offset = value->offset;
    message.leader_epoch = value->leader_epoch;
    message.metadata = value->metadata;
    message.commit_timestamp = value->commit_ms;
    message.expire_timestamp = value->expire_ms;
    message.topic_id = value->topic_id;
    record.value = encode(arena, &wire_offset_commit_value, offset_value_version(value), &message);
    if (span_is_null(record.value))
        record.key = SPAN_NULL;
    return record;
}

struct coord_record record_of_no_group(struct arena *arena, struct span group_id)
{
    const struct group_metadata_key key = {group_id};
    return (struct coord_record){.key = encode(arena, &wire_group_metadata_key, KEY_VERSION, &key)};
}

struct coord_record record_of_group(struct arena *arena, const struct group *group)
{
    struct coord_record record = record_of_no_group(arena, group->id);
    const uint32_t count = map_count(&group->members);
    struct group_metadata_value message;
    wire_defaults(&wire_group_metadata_value, &message);
    message.protocol_type = group->protocol_type;
    message.generation = group->generation;
    message.protocol = group->protocol_name;
    message.leader = group->leader == NULL ? SPAN_NULL : group->leader->id;
    message.current_state_timestamp = group->state_ms;
    message.members = arena_array(arena, count, sizeof(*message.members));
    if (message.members == NULL)
        return (struct coord_record){.key = SPAN_NULL};
    const struct group_member *member = NULL;
    while ((member = group_next_member(group, member)) != NULL)
        message.members[message.members_count++] = (struct group_metadata_value_member){
            .member_id = member->id,
            .group_instance_id = member->instance_id,
            .client_id = member->client_id,
            .client_host = member->client_host,
            .rebalance_timeout = member->rebalance_timeout_ms,
            .session_timeout = member->session_timeout_ms,
            .subscription = group_member_metadata(member),
            .assignment = member->assignment,
        };
    record.value = encode(arena, &wire_group_metadata_value, GROUP_VALUE, &message);
    if (span_is_null(record.value))
        record.key = SPAN_NULL;
    return record;
}

static int read_offset(struct span key, struct span value, struct arena *arena,
                       struct coord_entry *entry)
{
    struct offset_commit_key id;
    struct offset_commit_value message;
    int error = wire_decode_record(&wire_offset_commit_key, key, arena, &id);
    if (error != ERR_NONE)
        return error;
    entry->group_id = id.group;
    entry->topic = id.topic;
    entry->partition = id.partition;
    if (entry->deleted)
        return ERR_NONE;
    error = wire_decode_record(&wire_offset_commit_value, value, arena, &message);
    if (error != ERR_NONE)
        return error;
    entry->offset = (struct offset_value){
        .offset = message.offset,
        .leader_epoch = message.leader_epoch,
        .metadata = message.metadata,
        .commit_ms = message.commit_timestamp,
        .expire_ms = message.expire_timestamp,
        .topic_id = message.topic_id,
    };
    return ERR_NONE;
}

static int read_group(struct span key, struct span value, struct arena *arena,
                      struct coord_entry *entry)
{
    struct group_metadata_key id;
    const int error = wire_decode_record(&wire_group_metadata_key, key, arena, &id);
    if (error != ERR_NONE)
        return error;
    entry->group_id = id.group;
    return entry->deleted
               ? ERR_NONE
               : wire_decode_record(&wire_group_metadata_value, value, arena, &entry->group);
}

int record_read(struct span key, struct span value, struct arena *arena,
                struct coord_entry *ret_entry)
{
    struct coord_entry entry = {.kind = COORD_RECORD_OTHER, .deleted = span_is_null(value)};
    int error = ERR_NONE;
    if (key.length < sizeof(uint16_t))
        return ERR_MALFORMED;
    switch (get_be16(key.data)) {
    case KEY_OF_OFFSET:
        entry.kind = COORD_RECORD_OFFSET;
        error = read_offset(key, value, arena, &entry);
        break;
    case KEY_OF_GROUP:
        entry.kind = COORD_RECORD_GROUP;
        error = read_group(key, value, arena, &entry);
        break;
    default:
        break;
    }
    if (error == ERR_NONE)
        *ret_entry = entry;
    return error;
}
