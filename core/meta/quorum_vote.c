/* SPDX-License-Identifier: Apache-2.0 */
/* How this node's votes reach the disk, at last. */
#include "core/meta/quorum_internal.h"
#include "core/wire/error.h"

/* After which a vote that could not be written is written again. */
#define VOTE_AGAIN_US ((uint64_t)1000 * 1000)

static void vote_again(struct timer *timer)
{
    struct quorum *quorum = container_of(timer, struct quorum, vote_timer);
    const struct raft_vote_state vote = quorum->state.vote;
    quorum_state_store(&quorum->state, &vote);
}

/* A full disk has room again, and what failed once may work. Until then nobody is told of the vote,
 * and this node counts as little as one that is not there. */
static void vote_is_late(struct quorum *quorum, int error)
{
    if (!quorum->is_vote_late)
        io_log(quorum->io, LOG_WARN,
               "this node's vote cannot be written, and is not given until it is: "
               "file=" QUORUM_STATE_FILE " error=%s mend=\"see to the disk\"",
               error_text(error));
    quorum->is_vote_late = true;
    timer_set(&quorum->io->timers, &quorum->vote_timer, quorum->io->now_us + VOTE_AGAIN_US,
              vote_again);
}

static void vote_is_durable(struct quorum *quorum)
{
    if (quorum->is_vote_late)
        io_log(quorum->io, LOG_INFO, "this node's vote is written: file=" QUORUM_STATE_FILE);
    quorum->is_vote_late = false;
    quorum->is_persisting = false;
    raft_persisted(quorum->raft, ERR_NONE);
}

void quorum_persist(struct raft_host *host, const struct raft_vote_state *vote)
{
    struct quorum *quorum = quorum_of_host(host);
    quorum->is_persisting = true;
    quorum_state_store(&quorum->state, vote);
}

void quorum_persist_done(struct quorum *quorum, int error)
{
    if (error == ERR_NONE)
        vote_is_durable(quorum);
    else if (quorum->close_waiter == NULL)
        vote_is_late(quorum, error);
}
