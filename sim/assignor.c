/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/assignor.h"

#include "core/base/check.h"
#include "core/wire/error.h"

#define ASSIGNMENT_VERSION 1

static struct span encode(struct exchange *exchange, const struct wire_schema *schema,
                          int16_t version, const void *message)
{
    const size_t size = wire_record_size(schema, version, message);
    uint8_t *bytes = peer_take(exchange, size);
    struct wire_writer writer = {.data = bytes, .capacity = size};
    CHECK(wire_encode_record(schema, version, message, &writer) == ERR_NONE);
    return span_of(bytes, size);
}

struct span assignor_subscribe(struct exchange *exchange, int16_t version, struct span topic)
{
    struct consumer_protocol_subscription subscription;
    wire_defaults(&wire_consumer_protocol_subscription, &subscription);
    subscription.topics = &topic;
    subscription.topics_count = 1;
    return encode(exchange, &wire_consumer_protocol_subscription, version, &subscription);
}

static bool wants(struct exchange *exchange, const struct join_group_response_member *member,
                  struct span topic)
{
    struct consumer_protocol_subscription subscription;
    if (wire_decode_record(&wire_consumer_protocol_subscription, member->metadata, &exchange->arena,
                           &subscription) != ERR_NONE)
        return false;
    for (int32_t i = 0; i < subscription.topics_count; i++) {
        if (span_equal(subscription.topics[i], topic))
            return true;
    }
    return false;
}

/* Those who want the topic, in the order of their ids. */
static int32_t members_sort(struct exchange *exchange, const struct join_group_response *joined,
                            struct span topic, struct span *members)
{
    int32_t count = 0;
    for (int32_t i = 0; i < joined->members_count; i++) {
        const struct join_group_response_member *member = &joined->members[i];
        if (!wants(exchange, member, topic))
            continue;
        int32_t at = count++;
        for (; at > 0 && span_compare(members[at - 1], member->member_id) > 0; at--)
            members[at] = members[at - 1];
        members[at] = member->member_id;
    }
    return count;
}

static struct span share(struct exchange *exchange, struct span topic, uint32_t first,
                         uint32_t count)
{
    struct consumer_protocol_assignment assignment;
    wire_defaults(&wire_consumer_protocol_assignment, &assignment);
    struct consumer_protocol_assignment_assigned_partition assigned = {.topic = topic};
    assigned.partitions = peer_take(exchange, (count + 1) * sizeof(*assigned.partitions));
    for (uint32_t i = 0; i < count; i++)
        assigned.partitions[assigned.partitions_count++] = (int32_t)(first + i);
    assignment.assigned_partitions = &assigned;
    assignment.assigned_partitions_count = count > 0 ? 1 : 0;
    return encode(exchange, &wire_consumer_protocol_assignment, ASSIGNMENT_VERSION, &assignment);
}

void assignor_divide(struct exchange *exchange, const struct join_group_response *joined,
                     struct span topic, uint32_t partitions)
{
    struct sync_group_request *request = (void *)(uintptr_t)exchange->request;
    struct span *members =
        peer_take(exchange, ((size_t)joined->members_count + 1) * sizeof(*members));
    const uint32_t count = (uint32_t)members_sort(exchange, joined, topic, members);
    request->assignments = peer_take(exchange, (count + 1) * sizeof(*request->assignments));
    uint32_t first = 0;
    /* Some clients leave out who has nothing, and so does this one. */
    for (uint32_t i = 0; i < count && first < partitions; i++) {
        const uint32_t own = partitions / count + (i < partitions % count ? 1 : 0);
        request->assignments[i].member_id = peer_copy(exchange, members[i]);
        request->assignments[i].assignment = share(exchange, topic, first, own);
        first += own;
        request->assignments_count++;
    }
}

uint32_t assignor_read(const struct exchange *exchange, struct span assignment, struct span topic,
                       int32_t *ret_partitions, uint32_t capacity)
{
    struct arena *arena = (void *)(uintptr_t)&exchange->arena;
    struct consumer_protocol_assignment message;
    uint32_t count = 0;
    if (wire_decode_record(&wire_consumer_protocol_assignment, assignment, arena, &message) !=
        ERR_NONE)
        return 0; /* empty: the leader gave nothing */
    for (int32_t i = 0; i < message.assigned_partitions_count; i++) {
        const struct consumer_protocol_assignment_assigned_partition *assigned =
            &message.assigned_partitions[i];
        for (int32_t j = 0; j < assigned->partitions_count && span_equal(assigned->topic, topic) &&
                            count < capacity;
             j++)
            ret_partitions[count++] = assigned->partitions[j];
    }
    return count;
}
