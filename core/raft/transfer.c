/* SPDX-License-Identifier: Apache-2.0 */
/* Leaders that go: leadership is handed over (thesis 3.10), so that nobody waits for a timeout. */
#include "core/raft/internal.h"
#include "core/wire/error.h"

/* Of equals it is the one whose link came up last: of others it may not be known yet that theirs is
 * none any more. */
static bool is_better(const struct raft_peer *peer, const struct raft_peer *best)
{
    return peer->match != best->match ? peer->match > best->match : peer->up_us > best->up_us;
}

/* The voter that has most. NULL: there is none. */
static struct raft_peer *best_voter(const struct raft *raft)
{
    struct raft_peer *best = NULL;
    for (struct list *place = raft->peers.next; place != &raft->peers; place = place->next) {
        struct raft_peer *peer = container_of(place, struct raft_peer, place);
        if (peer->is_voter && (best == NULL || is_better(peer, best)))
            best = peer;
    }
    return best;
}

static void send_stand(struct raft *raft, int32_t node)
{
    raft_send(
        raft, node,
        &(struct raft_message){.type = RAFT_MESSAGE_STAND, .body.stand = {.term = raft->term}});
}

int raft_transfer(struct raft *raft, int32_t node)
{
    if (!raft_status(raft).is_established)
        return ERR_NOT_CONTROLLER;
    const struct raft_peer *best = best_voter(raft);
    if (node == RAFT_NOBODY && best != NULL)
        node = best->id.node;
    if (node == raft->settings.self.node ||
        raft_voters_find_node(voters_newest(raft), node) == NULL)
        return ERR_VOTER_NOT_FOUND;
    raft->transfer = node;
    raft->transfer_asked = false;
    raft->transfer_until_us =
        raft->io->now_us + (uint64_t)raft->settings.election_timeout_ms * 1000;
    raft_wake(raft);
    return ERR_NONE;
}

void leader_step_down(struct raft *raft)
{
    const struct raft_peer *best = best_voter(raft);
    if (best != NULL)
        send_stand(raft, best->id.node);
    raft_become_follower(raft);
}

void raft_resign(struct raft *raft)
{
    raft->is_resigning = true;
    if (raft->role == RAFT_LEADER)
        leader_step_down(raft);
    else if (raft->role == RAFT_PROSPECTIVE || raft->role == RAFT_CANDIDATE)
        raft_become_follower(raft);
}

/* The voter gets the order once it has everything. */
static void transfer_go_on(struct raft *raft)
{
    if (raft->io->now_us >= raft->transfer_until_us) {
        io_log(raft->io, LOG_WARN, "leadership was not taken over: node=%d term=%d", raft->transfer,
               raft->term);
        raft->transfer = RAFT_NOBODY;
        return;
    }
    for (struct list *place = raft->peers.next; place != &raft->peers; place = place->next) {
        const struct raft_peer *peer = container_of(place, struct raft_peer, place);
        if (peer->id.node != raft->transfer || !peer->is_voter || raft->transfer_asked ||
            peer->match < raft_log_end(raft))
            continue;
        raft->transfer_asked = true;
        send_stand(raft, raft->transfer);
    }
}

void transfer_pump(struct raft *raft)
{
    if (!raft_is_voter(raft) && voters_newest(raft)->offset < raft->committed) {
        io_log(raft->io, LOG_INFO, "this node leads no longer, for it votes no longer: term=%d",
               raft->term);
        leader_step_down(raft);
        return;
    }
    if (raft->transfer != RAFT_NOBODY)
        transfer_go_on(raft);
}
