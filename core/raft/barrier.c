/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linearizable reads without an entry (thesis 6.4): what is committed now has to be applied, and a
 * majority has to answer a message that is sent now, so that nobody else was elected before.
 */
#include "core/raft/internal.h"
#include "core/wire/error.h"

int raft_barrier(struct raft *raft, struct raft_barrier *barrier)
{
    list_init(&barrier->place);
    if (!raft_status(raft).is_established)
        return ERR_NOT_CONTROLLER;
    if (raft->barriers_count == RAFT_BARRIERS_MAX)
        return ERR_LIMIT;
    barrier->raft = raft;
    barrier->round = raft->sequence + 1;
    barrier->offset = raft->committed;
    list_append(&raft->barriers, &barrier->place);
    raft->barriers_count++;
    raft->round_due = true;
    raft_wake(raft);
    return ERR_NONE;
}

void raft_barrier_cancel(struct raft_barrier *barrier)
{
    if (list_empty(&barrier->place))
        return;
    list_remove(&barrier->place);
    barrier->raft->barriers_count--;
}

static bool has_answered(const struct raft_peer *peer, int64_t round)
{
    return peer->heard_sequence >= round;
}

static void barrier_end(struct raft *raft, struct raft_barrier *barrier, int error)
{
    list_remove(&barrier->place);
    barrier->error = error;
    list_append(&raft->barriers_over, &barrier->place);
}

/* Rounds and offsets rise along the list: the first that has to wait ends the walk. */
void barrier_pump(struct raft *raft)
{
    while (!list_empty(&raft->barriers)) {
        struct raft_barrier *barrier =
            container_of(raft->barriers.next, struct raft_barrier, place);
        if (raft->applied < barrier->offset ||
            !leader_majority(raft, true, has_answered, barrier->round))
            return;
        barrier_end(raft, barrier, ERR_NONE);
    }
}

void barrier_fail_all(struct raft *raft)
{
    while (!list_empty(&raft->barriers))
        barrier_end(raft, container_of(raft->barriers.next, struct raft_barrier, place),
                    ERR_NOT_CONTROLLER);
}

void barrier_tell(struct raft *raft)
{
    struct list *place;
    while ((place = list_pop(&raft->barriers_over)) != NULL) {
        struct raft_barrier *barrier = container_of(place, struct raft_barrier, place);
        raft->barriers_count--;
        barrier->done(barrier, barrier->error);
    }
}
