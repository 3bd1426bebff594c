/* SPDX-License-Identifier: Apache-2.0 */
/* From one generation to the next: everyone joins again, or is left behind. */
#include "core/coord/rebalance.h"
#include "core/base/check.h"
#include "core/wire/error.h"

static void deadline_set(struct group *group, struct timer *timer, int32_t after_ms,
                         timer_action *action)
{
    struct io *io = group->host->io;
    timer_set(&io->timers, timer, io->now_us + (uint64_t)after_ms * 1000, action);
}

static int32_t rebalance_timeout_ms(const struct group *group)
{
    int32_t longest_ms = 0;
    const struct group_member *member = NULL;
    while ((member = group_next_member(group, member)) != NULL)
        if (member->rebalance_timeout_ms > longest_ms)
            longest_ms = member->rebalance_timeout_ms;
    return longest_ms;
}

static bool everyone_joined(const struct group *group)
{
    return map_count(&group->members) == group->awaiting_join_count &&
           map_count(&group->pending) == 0;
}

static void time_is_up(struct timer *timer)
{
    rebalance_end(container_of(timer, struct group, rebalance));
}

/* A stretch of the initial delay is over; another follows if somebody came during it (KIP-134). */
static void initial_delay_over(struct timer *timer)
{
    struct group *group = container_of(timer, struct group, rebalance);
    const int32_t delay_ms = group->host->settings->initial_rebalance_delay_ms;
    if (!group->new_member_added) {
        rebalance_end(group);
        return;
    }
    group->new_member_added = false;
    const int32_t next_ms =
        delay_ms < group->initial_remaining_ms ? delay_ms : group->initial_remaining_ms;
    const int32_t left_ms = group->initial_remaining_ms - group->initial_delay_ms;
    group->initial_delay_ms = next_ms;
    group->initial_remaining_ms = left_ms > 0 ? left_ms : 0;
    deadline_set(group, &group->rebalance, next_ms, initial_delay_over);
}

static void initial_delay_start(struct group *group)
{
    const int32_t delay_ms = group->host->settings->initial_rebalance_delay_ms;
    const int32_t left_ms = rebalance_timeout_ms(group) - delay_ms;
    group->new_member_added = false;
    group->initial_delay_ms = delay_ms;
    group->initial_remaining_ms = left_ms > 0 ? left_ms : 0;
    deadline_set(group, &group->rebalance, delay_ms, initial_delay_over);
}

void rebalance_prepare(struct group *group)
{
    const bool initial = group->state == GROUP_EMPTY;
    if (group->state == GROUP_COMPLETING_REBALANCE)
        sync_reset(group, ERR_REBALANCE_IN_PROGRESS);
    sync_forget(group);
    group_move(group, GROUP_PREPARING_REBALANCE);
    if (initial)
        initial_delay_start(group);
    else if (everyone_joined(group))
        rebalance_end(group);
    else
        deadline_set(group, &group->rebalance, rebalance_timeout_ms(group), time_is_up);
}

void rebalance_prepare_or_end(struct group *group)
{
    if (group->state == GROUP_PREPARING_REBALANCE)
        rebalance_end_if_joined(group);
    else
        rebalance_prepare(group);
}

void rebalance_end_if_joined(struct group *group)
{
    if (group->state == GROUP_PREPARING_REBALANCE && group->previous_state != GROUP_EMPTY &&
        everyone_joined(group))
        rebalance_end(group);
}

void rebalance_without(struct group *group)
{
    if (group->state == GROUP_STABLE || group->state == GROUP_COMPLETING_REBALANCE)
        rebalance_prepare(group);
    else if (group->state == GROUP_PREPARING_REBALANCE && everyone_joined(group))
        rebalance_end(group);
}

/* Static members may stay away until their session ends: that is what they are for. */
static void remove_absent(struct group *group)
{
    struct map_node *next = NULL;
    for (struct map_node *node = group->members.first; node != NULL; node = next) {
        struct group_member *member = container_of(node, struct group_member, node);
        next = map_next(node);
        if (!member->awaiting_join && span_is_null(member->instance_id))
            group_remove_member(group, member, ERR_UNKNOWN_MEMBER_ID);
    }
}

/* The leader has to be someone who is there to assign. False when nobody is. */
static bool elect_leader(struct group *group)
{
    if (group->leader == NULL || group->leader->awaiting_join)
        return group->leader != NULL;
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node)) {
        struct group_member *member = container_of(node, struct group_member, node);
        if (member->awaiting_join) {
            group->leader = member;
            return true;
        }
    }
    return false;
}

static void tell_generation(struct group *group)
{
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node)) {
        struct group_member *member = container_of(node, struct group_member, node);
        const struct group_joined joined = group_joined_now(group, member);
        member_answer_join(member, &joined);
        member_keep(member, member->session_timeout_ms);
        member->is_new = false;
    }
    sync_expect(group);
}

void rebalance_end(struct group *group)
{
    CHECK(group->state == GROUP_PREPARING_REBALANCE);
    timer_cancel(&group->host->io->timers, &group->rebalance);
    remove_absent(group);
    if (!elect_leader(group) && group->members.first != NULL) {
        /* Only static members that did not come: wait until one does, or all their sessions end. */
        deadline_set(group, &group->rebalance, rebalance_timeout_ms(group), time_is_up);
        return;
    }
    group_next_generation(group);
    if (group->state == GROUP_EMPTY)
        store_empty(group);
    else
        tell_generation(group);
}
