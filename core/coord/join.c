/* SPDX-License-Identifier: Apache-2.0 */
/* JoinGroup: who is let in, and what the answer waits for. */
#include "core/base/check.h"
#include "core/base/format.h"
#include "core/coord/rebalance.h"
#include "core/wire/error.h"

/* '-' and a UUID in text. */
#define MEMBER_ID_SUFFIX_BYTES 37

struct group_joined group_joined_error(int error, struct span member_id)
{
    return (struct group_joined){
        .error = error,
        .generation = -1,
        .leader = SPAN(""),
        .member_id = span_is_null(member_id) ? SPAN("") : member_id,
    };
}

struct group_joined group_joined_now(const struct group *group, const struct group_member *member)
{
    return (struct group_joined){
        .generation = group->generation,
        .protocol_type = group->protocol_type,
        .protocol_name = group->protocol_name,
        .leader = group->leader->id,
        .member_id = member->id,
        .members = group->leader == member ? group : NULL,
    };
}

static void join_refuse(struct group_join *join, int error, struct span member_id)
{
    const struct group_joined joined = group_joined_error(error, member_id);
    join->done(join, &joined);
}

void member_park_join(struct group_member *member, struct group_join *join)
{
    if (!member->awaiting_join) {
        member->awaiting_join = true;
        member->group->awaiting_join_count++;
    }
    struct group_join *earlier = member->join;
    member->join = join;
    join->member = member;
    if (earlier != NULL) {
        /* The client asked again on another connection, and nobody looks at this one. */
        earlier->member = NULL;
        join_refuse(earlier, ERR_REBALANCE_IN_PROGRESS, member->id);
    }
}

void member_answer_join(struct group_member *member, const struct group_joined *joined)
{
    struct group_join *join = member->join;
    if (member->awaiting_join) {
        member->awaiting_join = false;
        member->group->awaiting_join_count--;
    }
    member->join = NULL;
    if (join == NULL)
        return;
    join->member = NULL;
    member->knows_id = true;
    join->done(join, joined);
}

void group_join_cancel(struct group_join *join)
{
    struct group_member *member = join->member;
    if (member == NULL)
        return;
    join->member = NULL;
    member->join = NULL;
    /* Its session ends now, but not inside this call: somebody may be walking through the
     * members. */
    if (!member->knows_id)
        member_keep(member, 0);
}

int group_check_session(const struct group_settings *settings, int32_t session_timeout_ms)
{
    return session_timeout_ms < settings->min_session_timeout_ms ||
                   session_timeout_ms > settings->max_session_timeout_ms
               ? ERR_INVALID_SESSION_TIMEOUT
               : ERR_NONE;
}

static bool join_within_limits(const struct group_join *join)
{
    size_t bytes = 0;
    if (join->protocols_count > GROUP_PROTOCOLS_MAX)
        return false;
    for (uint32_t i = 0; i < join->protocols_count; i++)
        bytes += join->protocols[i].name.length + join->protocols[i].metadata.length;
    return bytes <= GROUP_METADATA_BYTES_MAX;
}

/* While a rebalance prepares, those who already wait are in, and others as long as there is room
 * among those who wait: so a group whose limit was lowered lets its latest go. Afterwards
 * members count. */
static bool group_has_room(const struct group *group, const struct group_member *member)
{
    const uint32_t max = group->host->settings->max_size;
    switch (group->state) {
    case GROUP_PREPARING_REBALANCE:
        return (member != NULL && member->awaiting_join) || group->awaiting_join_count < max;
    case GROUP_COMPLETING_REBALANCE:
    case GROUP_STABLE:
        return member != NULL || map_count(&group->members) < max;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        break;
    }
    return true;
}

/* Text of at most `bytes_max` bytes that does not end inside a character: clients send ids back
 * after reading them as UTF-8. */
static struct span text_cut(struct span text, size_t bytes_max)
{
    if (text.length <= bytes_max)
        return text;
    size_t length = bytes_max;
    while (length > 0 && (text.data[length] & 0xc0) == 0x80)
        length--;
    return span_of(text.data, length);
}

static struct span member_id_make(struct group *group, const struct group_join *join, char *out,
                                  size_t capacity)
{
    const struct span name =
        text_cut(span_is_null(join->instance_id) ? join->client_id : join->instance_id,
                 GROUP_MEMBER_NAME_BYTES_MAX);
    const struct uuid uuid = rng_uuid(&group->host->io->rng);
    const uint8_t *b = uuid.bytes;
    const size_t length = format_text(
        out, capacity, "%.*s-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        (int)name.length, name.length == 0 ? "" : (const char *)name.data, b[0], b[1], b[2], b[3],
        b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    CHECK(length < capacity);
    return span_of(out, length);
}

/* A reserved id was not used in time; others may have waited for it. */
static void pending_expired(struct timer *timer)
{
    struct group_pending *pending = container_of(timer, struct group_pending, expiry);
    struct group *group = pending->group;
    group_remove_pending(group, pending);
    rebalance_without(group);
}

static void member_add_and_wait(struct group *group, struct group_join *join, struct span member_id,
                                bool knows_id)
{
    if (group->state == GROUP_PREPARING_REBALANCE && group->previous_state == GROUP_EMPTY)
        group->new_member_added = true;
    struct group_member *member = group_add_member(group, join, member_id);
    member->is_new = true;
    member->knows_id = knows_id;
    member_park_join(member, join);
    member_keep(member, GROUP_NEW_MEMBER_TIMEOUT_MS);
    rebalance_prepare_or_end(group);
}

static void member_update_and_wait(struct group_member *member, struct group_join *join)
{
    member_update(member, join);
    member_park_join(member, join);
    rebalance_prepare_or_end(member->group);
}

/* The static member came back under a new id: whoever used the old one is fenced (KIP-345). */
static struct group_member *static_replace(struct group_member *old, const struct group_join *join,
                                           struct span member_id)
{
    struct group *group = old->group;
    const struct group_joined fenced = group_joined_error(ERR_FENCED_INSTANCE_ID, old->id);
    const struct group_synced fenced_sync = {.error = ERR_FENCED_INSTANCE_ID,
                                             .assignment = SPAN("")};
    member_answer_join(old, &fenced);
    member_answer_sync(old, &fenced_sync);
    struct group_member *member = group_add_member(group, join, member_id);
    member->knows_id = true;
    member->pending_sync = old->pending_sync;
    old->pending_sync = false;
    member_assign(member, old->assignment);
    if (group->leader == old)
        group->leader = member;
    group_remove_member(group, old, ERR_FENCED_INSTANCE_ID);
    return member;
}

static void join_static_again(struct group_member *old, struct group_join *join,
                              struct span member_id)
{
    struct group *group = old->group;
    uint8_t leader_bytes[GROUP_MEMBER_NAME_BYTES_MAX + MEMBER_ID_SUFFIX_BYTES];
    struct span old_leader = SPAN_NULL;
    if (group->leader == old && old->id.length <= sizeof(leader_bytes)) {
        memcpy(leader_bytes, old->id.data, old->id.length);
        old_leader = span_of(leader_bytes, old->id.length);
    }
    struct group_member *member = static_replace(old, join, member_id);
    member_park_join(member, join);
    member_keep(member, member->session_timeout_ms);
    switch (group->state) {
    case GROUP_STABLE:
        /* Nothing that matters to the others changed: the group goes on, the member keeps its
         * share. */
        if (span_equal(group_select_protocol(group), group->protocol_name))
            store_replaced(group, member, old_leader);
        else
            rebalance_prepare(group);
        break;
    case GROUP_COMPLETING_REBALANCE:
        /* The leader may be assigning to the old id at this moment. */
        rebalance_prepare(group);
        break;
    case GROUP_PREPARING_REBALANCE:
        rebalance_end_if_joined(group);
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        CHECK(false);
    }
}

static void join_newcomer(struct group *group, struct group_join *join)
{
    char text[GROUP_MEMBER_NAME_BYTES_MAX + MEMBER_ID_SUFFIX_BYTES + 1];
    const struct span member_id = member_id_make(group, join, text, sizeof(text));
    if (!span_is_null(join->instance_id)) {
        struct group_member *old = group_find_static(group, join->instance_id);
        if (old == NULL)
            member_add_and_wait(group, join, member_id, true);
        else
            join_static_again(old, join, member_id);
    } else if (!join->needs_member_id) {
        member_add_and_wait(group, join, member_id, false);
    } else if (map_count(&group->pending) >= GROUP_PENDING_MAX) {
        join_refuse(join, ERR_GROUP_MAX_SIZE_REACHED, SPAN(""));
    } else {
        group_add_pending(group, member_id, join->session_timeout_ms, pending_expired);
        join_refuse(join, ERR_MEMBER_ID_REQUIRED, member_id);
    }
}

static void join_now(struct group_member *member, struct group_join *join)
{
    const struct group_joined joined = group_joined_now(member->group, member);
    join->done(join, &joined);
}

static void join_again(struct group *group, struct group_join *join)
{
    struct group_member *member = NULL;
    const int error = group_check_member(group, join->member_id, join->instance_id, &member);
    if (error != ERR_NONE) {
        join_refuse(join, error, join->member_id);
        return;
    }
    switch (group->state) {
    case GROUP_PREPARING_REBALANCE:
        member_update_and_wait(member, join);
        break;
    case GROUP_COMPLETING_REBALANCE:
        /* Nothing new: it did not receive the first answer. */
        if (member_matches(member, join))
            join_now(member, join);
        else
            member_update_and_wait(member, join);
        break;
    case GROUP_STABLE:
        /* The leader asks again when something that only it watches has changed, such as
         * partitions. */
        if (group->leader != member && member_matches(member, join))
            join_now(member, join);
        else
            member_update_and_wait(member, join);
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
        CHECK(false);
    }
}

void group_join(struct group *group, struct group_join *join)
{
    const bool newcomer = join->member_id.length == 0;
    struct group_member *member = newcomer ? NULL : group_find_member(group, join->member_id);
    struct group_pending *pending = newcomer ? NULL : group_find_pending(group, join->member_id);
    join->member = NULL;
    if (group->state == GROUP_DEAD) {
        join_refuse(join, ERR_COORDINATOR_NOT_AVAILABLE, join->member_id);
    } else if (!join_within_limits(join)) {
        join_refuse(join, ERR_INVALID_REQUEST, join->member_id);
    } else if (!group_has_room(group, member)) {
        if (pending != NULL)
            group_remove_pending(group, pending);
        if (member != NULL)
            group_remove_member(group, member, ERR_GROUP_MAX_SIZE_REACHED);
        join_refuse(join, ERR_GROUP_MAX_SIZE_REACHED, SPAN(""));
        rebalance_end_if_joined(group);
    } else if (!group_supports(group, join)) {
        join_refuse(join, ERR_INCONSISTENT_GROUP_PROTOCOL, join->member_id);
    } else if (newcomer) {
        join_newcomer(group, join);
    } else if (pending != NULL && span_is_null(join->instance_id)) {
        group_remove_pending(group, pending);
        member_add_and_wait(group, join, join->member_id, true);
    } else {
        join_again(group, join);
    }
}
