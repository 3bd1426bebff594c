/* SPDX-License-Identifier: Apache-2.0 */
/* A member's life between JoinGroups: sessions, heartbeats, leaving, and whether it may commit. */
#include "core/coord/rebalance.h"
#include "core/wire/error.h"

/* The session ended. Whoever waits here for an answer cannot send heartbeats and is excused, except
 * newcomers, who may be gone without a trace. */
static void session_expired(struct timer *timer)
{
    struct group_member *member = container_of(timer, struct group_member, session);
    struct group *group = member->group;
    if (!member->is_new && (member->awaiting_join || member->awaiting_sync))
        return;
    group_remove_member(group, member, ERR_UNKNOWN_MEMBER_ID);
    rebalance_without(group);
}

void member_keep(struct group_member *member, int32_t timeout_ms)
{
    struct io *io = member->group->host->io;
    timer_set(&io->timers, &member->session, io->now_us + (uint64_t)timeout_ms * 1000,
              session_expired);
}

int group_heartbeat(struct group *group, struct span member_id, struct span instance_id,
                    int32_t generation)
{
    struct group_member *member = NULL;
    const int error = group_check_member(group, member_id, instance_id, &member);
    if (error != ERR_NONE)
        return error;
    if (generation != group->generation)
        return ERR_ILLEGAL_GENERATION;
    member_keep(member, member->session_timeout_ms);
    return group->state == GROUP_PREPARING_REBALANCE ? ERR_REBALANCE_IN_PROGRESS : ERR_NONE;
}

int group_leave(struct group *group, struct span member_id, struct span instance_id)
{
    struct group_member *member = NULL;
    if (member_id.length == 0) {
        /* An administrator removes a static member by the name that it is known by. */
        member = span_is_null(instance_id) ? NULL : group_find_static(group, instance_id);
        if (member == NULL)
            return ERR_UNKNOWN_MEMBER_ID;
    } else {
        struct group_pending *pending = group_find_pending(group, member_id);
        if (pending != NULL) {
            group_remove_pending(group, pending);
            return ERR_NONE;
        }
        const int error = group_check_member(group, member_id, instance_id, &member);
        if (error != ERR_NONE)
            return error;
    }
    group_remove_member(group, member, ERR_UNKNOWN_MEMBER_ID);
    return ERR_NONE;
}

void group_left(struct group *group)
{
    if (group->state == GROUP_STABLE || group->state == GROUP_COMPLETING_REBALANCE)
        rebalance_prepare(group);
    else
        rebalance_end_if_joined(group);
}

int group_check_commit(struct group *group, struct span member_id, struct span instance_id,
                       int32_t generation)
{
    struct group_member *member = NULL;
    if (generation < 0 && group->state == GROUP_EMPTY)
        return ERR_NONE;
    const int error = group_check_member(group, member_id, instance_id, &member);
    if (error != ERR_NONE)
        return error;
    if (generation != group->generation)
        return ERR_ILLEGAL_GENERATION;
    if (group->state == GROUP_COMPLETING_REBALANCE)
        return ERR_REBALANCE_IN_PROGRESS;
    member_keep(member, member->session_timeout_ms);
    return ERR_NONE;
}
