/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/voter_change.h"

#include "core/broker_state.h"
#include "core/meta/identity.h"
#include "core/wire/error.h"

/* How often it is looked whether a change can be made, or is committed. */
#define LOOK_AGAIN_US ((uint64_t)50 * 1000)

/* A call's answer has to be there before the one who called gives up. */
#define TIMEOUT_MS_MAX (LEADER_CALL_TIMEOUT_MS - 1000)

static struct quorum *quorum_of(const struct voter_change *change)
{
    return controller_quorum(change->task->broker->controller);
}

/* What was appended may be lost with the leadership, and something else be committed there. */
static bool is_in_force(const struct voter_change *change)
{
    const struct raft_voters *voters = quorum_voters(quorum_of(change));
    return voters != NULL &&
           (raft_voters_find(voters, change->id) != NULL) == (change->voter != NULL);
}

static int append(struct voter_change *change)
{
    struct quorum *quorum = quorum_of(change);
    return change->voter != NULL ? quorum_add_voter(quorum, change->voter, &change->end_offset)
                                 : quorum_remove_voter(quorum, change->id, &change->end_offset);
}

/* True when it has ended. */
static bool try(struct voter_change *change, bool is_over)
{
    const int error = append(change);
    change->is_appended = error == ERR_NONE;
    if (error == ERR_NONE && !change->acknowledges_early)
        return false;
    if (error == ERR_REASSIGNMENT_IN_PROGRESS && is_over)
        change->done(change, ERR_REQUEST_TIMED_OUT,
                     SPAN("Another change of the voters is not committed yet."));
    else if (error == ERR_REQUEST_TIMED_OUT && is_over)
        change->done(change, error, SPAN("The node does not follow the metadata log closely."));
    else if (error == ERR_INCONSISTENT_VOTER_SET)
        change->done(change, ERR_INVALID_REQUEST,
                     change->voter != NULL ? SPAN("There are as many voters as there may be.")
                                           : SPAN("The last voter cannot be removed."));
    else if (error == ERR_REASSIGNMENT_IN_PROGRESS || error == ERR_REQUEST_TIMED_OUT)
        return false;
    else
        change->done(change, error == ERR_NOT_CONTROLLER ? ERR_NOT_LEADER_OR_FOLLOWER : error,
                     SPAN_NULL);
    return true;
}

/* True when it has ended. */
static bool look_for_commit(struct voter_change *change, bool is_over)
{
    const struct raft_status status = quorum_status(quorum_of(change));
    const bool is_committed = status.committed >= change->end_offset;
    if (is_committed && is_in_force(change))
        change->done(change, ERR_NONE, SPAN_NULL);
    else if (is_committed || status.role != RAFT_LEADER)
        change->done(change, ERR_NOT_LEADER_OR_FOLLOWER, SPAN_NULL);
    else if (is_over)
        change->done(change, ERR_REQUEST_TIMED_OUT,
                     SPAN("The change is not committed yet, and may still be."));
    else
        return false;
    return true;
}

static void look(struct timer *timer)
{
    struct voter_change *change = container_of(timer, struct voter_change, timer);
    struct io *io = &change->task->broker->io;
    const bool is_over = io->now_us >= change->until_us;
    if (change->is_appended ? look_for_commit(change, is_over) : try(change, is_over))
        return;
    timer_set(&io->timers, &change->timer, io->now_us + LOOK_AGAIN_US, look);
}

static void cancel(struct leader_task *task)
{
    struct voter_change *change = task->state;
    timer_cancel(&task->broker->io.timers, &change->timer);
}

void voter_change_start(struct voter_change *change, int32_t timeout_ms)
{
    const struct io *io = &change->task->broker->io;
    const int32_t least_ms = timeout_ms < 0 ? 0 : timeout_ms;
    const uint64_t wait_ms =
        least_ms < TIMEOUT_MS_MAX ? (uint64_t)least_ms : (uint64_t)TIMEOUT_MS_MAX;
    change->until_us = io->now_us + wait_ms * 1000;
    change->task->state = change;
    change->task->cancel = cancel;
    look(&change->timer);
}

bool voter_change_is_for(const struct leader_task *task, struct span cluster_id)
{
    return span_is_null(cluster_id) ||
           span_equal(cluster_id, identity_cluster_id(task->broker->identity));
}
