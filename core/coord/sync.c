/* SPDX-License-Identifier: Apache-2.0 */
/* SyncGroup: the leader's assignment is stored, then everyone gets a share of it. */
#include "core/base/check.h"
#include "core/coord/rebalance.h"
#include "core/wire/error.h"

/* One write of the group's metadata. */
struct group_store {
    struct coord_write write;
    struct group *group;
    int32_t generation;
    struct span member_id;  /* store_replaced: who waits; null otherwise */
    struct span old_leader; /* store_replaced: null when the member did not lead */
    size_t bytes;           /* of this and both texts behind it */
};

static const struct group_synced nothing_synced = {.assignment = {(const uint8_t *)"", 0}};

static void sync_refuse(struct group_sync *sync, int error)
{
    struct group_synced synced = nothing_synced;
    synced.error = error;
    sync->done(sync, &synced);
}

void member_answer_sync(struct group_member *member, const struct group_synced *synced)
{
    struct group_sync *sync = member->sync;
    member->awaiting_sync = false;
    member->sync = NULL;
    if (sync == NULL)
        return;
    sync->member = NULL;
    sync->done(sync, synced);
}

void group_sync_cancel(struct group_sync *sync)
{
    if (sync->member != NULL)
        sync->member->sync = NULL;
    sync->member = NULL;
}

static void member_park_sync(struct group_member *member, struct group_sync *sync)
{
    struct group_sync *earlier = member->sync;
    member->awaiting_sync = true;
    member->sync = sync;
    sync->member = member;
    if (earlier != NULL) {
        /* The client asked again on another connection, and nobody looks at this one. */
        earlier->member = NULL;
        sync_refuse(earlier, ERR_REBALANCE_IN_PROGRESS);
    }
}

void sync_received(struct group_member *member)
{
    if (!member->pending_sync)
        return;
    member->pending_sync = false;
    struct group *group = member->group;
    if (--group->pending_sync_count == 0)
        timer_cancel(&group->host->io->timers, &group->sync_expiry);
}

void sync_forget(struct group *group)
{
    timer_cancel(&group->host->io->timers, &group->sync_expiry);
    if (group->pending_sync_count == 0)
        return;
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node))
        container_of(node, struct group_member, node)->pending_sync = false;
    group->pending_sync_count = 0;
}

/* Whoever did not sync within the rebalance timeout leaves, and the others start again. */
static void sync_expired(struct timer *timer)
{
    struct group *group = container_of(timer, struct group, sync_expiry);
    struct map_node *next = NULL;
    for (struct map_node *node = group->members.first; node != NULL; node = next) {
        struct group_member *member = container_of(node, struct group_member, node);
        next = map_next(node);
        if (member->pending_sync)
            group_remove_member(group, member, ERR_UNKNOWN_MEMBER_ID);
    }
    rebalance_prepare(group);
}

void sync_expect(struct group *group)
{
    struct io *io = group->host->io;
    int32_t longest_ms = 0;
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node)) {
        struct group_member *member = container_of(node, struct group_member, node);
        member->pending_sync = true;
        group->pending_sync_count++;
        if (member->rebalance_timeout_ms > longest_ms)
            longest_ms = member->rebalance_timeout_ms;
    }
    timer_set(&io->timers, &group->sync_expiry, io->now_us + (uint64_t)longest_ms * 1000,
              sync_expired);
}

static void hand_out(struct group *group, int error)
{
    struct map_node *next = NULL;
    for (struct map_node *node = group->members.first; node != NULL; node = next) {
        struct group_member *member = container_of(node, struct group_member, node);
        next = map_next(node);
        if (!member->awaiting_sync)
            continue;
        const struct group_synced synced = {
            .error = error,
            .protocol_type = error == ERR_NONE ? group->protocol_type : SPAN_NULL,
            .protocol_name = error == ERR_NONE ? group->protocol_name : SPAN_NULL,
            .assignment = error == ERR_NONE ? member->assignment : SPAN(""),
        };
        /* A session that ended while the member waited here was not held against it: a new one
         * begins. */
        member_keep(member, member->session_timeout_ms);
        member_answer_sync(member, &synced);
    }
}

void sync_reset(struct group *group, int error)
{
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node))
        member_assign(container_of(node, struct group_member, node), SPAN(""));
    hand_out(group, error);
}

static struct group_store *store_new(struct group *group, struct span member_id,
                                     struct span old_leader)
{
    struct memory *memory = group->host->io->memory;
    const size_t bytes = sizeof(struct group_store) + member_id.length + old_leader.length;
    struct group_store *store = memory_take(memory, MEMORY_STATE, bytes);
    uint8_t *texts = (uint8_t *)(store + 1);
    store->bytes = bytes;
    store->group = group;
    store->generation = group->generation;
    if (!span_is_null(member_id)) {
        memcpy(texts, member_id.data, member_id.length);
        store->member_id = span_of(texts, member_id.length);
    }
    if (!span_is_null(old_leader)) {
        memcpy(texts + member_id.length, old_leader.data, old_leader.length);
        store->old_leader = span_of(texts + member_id.length, old_leader.length);
    }
    group->references++;
    return store;
}

static void store_free(struct group_store *store)
{
    struct group *group = store->group;
    memory_give(group->host->io->memory, MEMORY_STATE, store, store->bytes);
    group_release(group);
}

/* Hands the write to the keeper; a write that is refused at once ends like one that fails later. */
static void store_start(struct group_store *store,
                        void (*done)(struct coord_write *write, int error))
{
    struct group *group = store->group;
    store->write.done = done;
    const int error = group->host->store(group->host, group, &store->write);
    if (error == ERR_NONE)
        group->in_log = true;
    else
        done(&store->write, error);
}

/* An empty generation has nobody to tell. If its record is lost, the one before comes back after a
 * restart and its members time out. */
static void empty_stored(struct coord_write *write, int error)
{
    (void)error;
    store_free(container_of(write, struct group_store, write));
}

void store_empty(struct group *group)
{
    store_start(store_new(group, SPAN_NULL, SPAN_NULL), empty_stored);
}

static void assignment_stored(struct coord_write *write, int error)
{
    struct group_store *store = container_of(write, struct group_store, write);
    struct group *group = store->group;
    /* Somebody may have joined or left meanwhile: then this assignment is history. */
    if (group->state == GROUP_COMPLETING_REBALANCE && group->generation == store->generation) {
        if (error == ERR_NONE) {
            group_move(group, GROUP_STABLE);
            hand_out(group, ERR_NONE);
        } else {
            sync_reset(group, error);
            rebalance_prepare(group);
        }
    }
    store_free(store);
}

static void replaced_stored(struct coord_write *write, int error)
{
    struct group_store *store = container_of(write, struct group_store, write);
    struct group *group = store->group;
    struct group_member *member = group_find_member(group, store->member_id);
    /* In a rebalance that began meanwhile the member has joined already, and is answered at its
     * end. */
    if (group->state == GROUP_STABLE && group->generation == store->generation && member != NULL &&
        member->awaiting_join) {
        struct group_joined joined = group_joined_now(group, member);
        if (error != ERR_NONE) {
            joined = group_joined_error(error, SPAN(""));
        } else if (member->join != NULL && member->join->may_skip_assignment) {
            joined.skip_assignment = joined.members != NULL;
        } else {
            joined.members = NULL;
            if (!span_is_null(store->old_leader))
                joined.leader = store->old_leader;
        }
        member_keep(member, member->session_timeout_ms);
        member_answer_join(member, &joined);
    }
    store_free(store);
}

void store_replaced(struct group *group, struct group_member *member, struct span old_leader)
{
    store_start(store_new(group, member->id, old_leader), replaced_stored);
}

static int sync_check(const struct group *group, const struct group_sync *sync,
                      struct group_member **ret_member)
{
    if (group->state == GROUP_DEAD)
        return ERR_COORDINATOR_NOT_AVAILABLE;
    const int error = group_check_member(group, sync->member_id, sync->instance_id, ret_member);
    if (error != ERR_NONE)
        return error;
    if (sync->generation != group->generation)
        return ERR_ILLEGAL_GENERATION;
    if (!span_is_null(sync->protocol_type) &&
        !span_equal(sync->protocol_type, group->protocol_type))
        return ERR_INCONSISTENT_GROUP_PROTOCOL;
    if (!span_is_null(sync->protocol_name) &&
        !span_equal(sync->protocol_name, group->protocol_name))
        return ERR_INCONSISTENT_GROUP_PROTOCOL;
    return group->state == GROUP_PREPARING_REBALANCE ? ERR_REBALANCE_IN_PROGRESS : ERR_NONE;
}

/* The leader assigned; members that it did not list have nothing. */
static void assign(struct group *group, const struct group_sync *sync)
{
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node))
        member_assign(container_of(node, struct group_member, node), SPAN(""));
    for (uint32_t i = 0; i < sync->assignments_count; i++) {
        struct group_member *member = group_find_member(group, sync->assignments[i].member_id);
        if (member != NULL)
            member_assign(member, sync->assignments[i].assignment);
    }
    group->storing_generation = group->generation;
    store_start(store_new(group, SPAN_NULL, SPAN_NULL), assignment_stored);
}

void group_sync(struct group *group, struct group_sync *sync)
{
    struct group_member *member = NULL;
    sync->member = NULL;
    const int error = sync_check(group, sync, &member);
    if (error != ERR_NONE) {
        sync_refuse(sync, error);
        return;
    }
    sync_received(member);
    if (group->state == GROUP_STABLE) {
        const struct group_synced synced = {.protocol_type = group->protocol_type,
                                            .protocol_name = group->protocol_name,
                                            .assignment = member->assignment};
        sync->done(sync, &synced);
        return;
    }
    CHECK(group->state == GROUP_COMPLETING_REBALANCE);
    member_park_sync(member, sync);
    /* An assignment that is on its way to the log stays the generation's only one. */
    if (group->leader == member && group->storing_generation != group->generation)
        assign(group, sync);
}
