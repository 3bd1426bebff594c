/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elections. A node that hears no leader first asks whether it would be elected (pre-vote,
 * KIP-996): nobody's term grows by that, so that who was cut off, or was removed, disturbs nobody.
 * Only then it votes for itself in a new term, makes that durable, and asks for votes. Whoever
 * hears a leader refuses both (thesis 4.2.3), unless the leader itself has asked the candidate to
 * stand.
 */
#include "core/raft/internal.h"
#include "core/wire/error.h"

/* After a lost election, the least time until the next. */
#define BACKOFF_MIN_US 10000

/* For so long at least who would vote for another lets it stand: it votes for itself first, which
 * has to become durable. Both of those that a dead leader leaves would otherwise stand in one term,
 * and split the votes. */
#define LET_STAND_US 50000

/* The candidate's log has everything that this one has (Raft 5.4.1). An empty one cannot tell: a
 * voter held the first record durably before anybody stood, or had caught up when it was added; so
 * what it had acknowledged is lost here. */
static bool is_up_to_date(const struct raft *raft, const struct raft_vote *vote)
{
    if (raft_log_end(raft) == 0)
        return false;
    const int32_t last_epoch = raft_last_epoch(raft);
    if (vote->last_epoch != last_epoch)
        return vote->last_epoch > last_epoch;
    return vote->end_offset >= raft_log_end(raft);
}

void election_ask(struct raft *raft, int32_t node)
{
    const bool pre_vote = raft->role == RAFT_PROSPECTIVE;
    if (node == raft->settings.self.node || !raft->votes_asked)
        return;
    raft_send(raft, node,
              &(struct raft_message){
                  .type = RAFT_MESSAGE_VOTE,
                  .body.vote = {.term = pre_vote ? raft->term + 1 : raft->term,
                                .pre_vote = pre_vote,
                                .transfer = !pre_vote && raft->vote_transfer,
                                .end_offset = raft_log_end(raft),
                                .last_epoch = raft_last_epoch(raft)},
              });
}

static void ask_all(struct raft *raft)
{
    const struct raft_voters *voters = voters_newest(raft);
    raft->votes_asked = true;
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        const struct raft_id id = raft_voter_id(&voters->record.voters[i]);
        if (raft_id_equal(id, raft->settings.self))
            raft->votes[i] = 1;
        election_ask(raft, id.node);
    }
}

static void stand(struct raft *raft)
{
    raft->role = RAFT_CANDIDATE;
    raft->term++;
    raft->voted = raft->settings.self;
    raft->grant_due = false;
    raft->votes_asked = false;
    memset(raft->votes, 0, sizeof(raft->votes));
    raft->leader = RAFT_NOBODY;
    raft->is_heard = false;
    raft->role_dirty = true;
    raft_timer_set(raft, raft->settings.election_timeout_ms);
    raft_wake(raft);
}

/* It may stand: nobody whose last vote or log is in doubt does. */
static bool may_stand(const struct raft *raft)
{
    return raft_is_electable(raft) && raft_is_log_ready(raft) && !raft->is_resigning &&
           raft->term < INT32_MAX - 1;
}

void election_start(struct raft *raft, bool transfer)
{
    raft->leader = RAFT_NOBODY;
    raft->is_heard = false;
    raft->role_dirty = true;
    if (!may_stand(raft)) {
        raft_become_follower(raft);
        raft_timer_set(raft, raft->settings.election_timeout_ms);
        return;
    }
    raft->vote_transfer = transfer;
    if (transfer) {
        stand(raft);
        return;
    }
    raft->role = RAFT_PROSPECTIVE;
    raft->votes_asked = false;
    memset(raft->votes, 0, sizeof(raft->votes));
    raft_timer_set(raft, raft->settings.election_timeout_ms);
    raft_wake(raft);
}

void election_timer(struct timer *timer)
{
    struct raft *raft = container_of(timer, struct raft, timer);
    if (raft->role == RAFT_OBSERVER) {
        raft->leader = RAFT_NOBODY;
        raft->is_heard = false;
        raft->role_dirty = true;
        follower_ask_to_follow(raft);
        raft_timer_set(raft, raft->settings.heartbeat_ms);
        raft_wake(raft);
        return;
    }
    election_start(raft, false);
}

/* −1: lost, 1: won, 0: open */
static int count(const struct raft *raft)
{
    const int32_t voters = voters_newest(raft)->record.voters_count;
    int32_t granted = 0;
    int32_t refused = 0;
    for (int32_t i = 0; i < voters; i++) {
        granted += raft->votes[i] == 1;
        refused += raft->votes[i] == -1;
    }
    return granted > voters / 2 ? 1 : refused >= voters - voters / 2 ? -1 : 0;
}

static void lose(struct raft *raft)
{
    const uint64_t backoff_us =
        BACKOFF_MIN_US +
        raft_draw(raft, (uint64_t)raft->settings.election_backoff_max_ms * 1000 + 1);
    raft_become_follower(raft);
    timer_set(&raft->io->timers, &raft->timer, raft->io->now_us + backoff_us, election_timer);
}

void election_pump(struct raft *raft)
{
    if (!may_stand(raft)) {
        raft_become_follower(raft);
        return;
    }
    if (raft->role == RAFT_PROSPECTIVE && !raft->votes_asked)
        ask_all(raft);
    if (raft->role == RAFT_PROSPECTIVE && count(raft) == 1)
        stand(raft);
    /* Its own vote counts, and others are asked, only once it cannot be forgotten. */
    if (raft->role == RAFT_CANDIDATE && !raft->votes_asked && raft_is_durable(raft))
        ask_all(raft);
    if (raft->votes_asked && count(raft) == -1)
        lose(raft);
    else if (raft->role == RAFT_CANDIDATE && raft->votes_asked && count(raft) == 1)
        leader_start(raft);
}

/* Says no, and who leads; or, to a pre-vote, yes. */
static void answer(struct raft *raft, int32_t node, const struct raft_vote *vote, bool granted)
{
    struct raft_voted_leader_endpoint endpoints[RAFT_ENDPOINTS_MAX];
    struct raft_voted voted = {
        .term = raft->term,
        .asked_term = vote->term,
        .pre_vote = vote->pre_vote,
        .granted = granted,
        .leader_id = raft->leader,
        .leader_endpoints = endpoints,
    };
    const struct voters_record_voter *leader =
        raft_voters_find_node(voters_newest(raft), raft->leader);
    for (int32_t i = 0; leader != NULL && i < leader->endpoints_count; i++)
        endpoints[voted.leader_endpoints_count++] = (struct raft_voted_leader_endpoint){
            leader->endpoints[i].name, leader->endpoints[i].host, leader->endpoints[i].port};
    raft_send(raft, node, &(struct raft_message){.type = RAFT_MESSAGE_VOTED, .body.voted = voted});
}

void election_on_follow(struct raft *raft, struct raft_id from, const struct raft_follow *follow)
{
    if (raft->role == RAFT_LEADER)
        leader_on_follow(raft, from);
    else if (raft->leader != RAFT_NOBODY && raft->leader != from.node)
        answer(raft, from.node, &(struct raft_vote){.term = follow->term}, false);
}

/* Both ask whether they would be elected, and have the same log: one of them has to wait, or each
 * would vote for itself, and where others are away nobody would have a majority. */
static bool stands_first(const struct raft *raft, struct raft_id from, const struct raft_vote *vote)
{
    return raft->role == RAFT_PROSPECTIVE && raft->settings.self.node < from.node &&
           vote->term == raft->term + 1 && vote->last_epoch == raft_last_epoch(raft) &&
           vote->end_offset == raft_log_end(raft);
}

static void let_stand(struct raft *raft)
{
    const uint64_t due_us = raft->io->now_us + LET_STAND_US;
    if (raft->role == RAFT_FOLLOWER && raft->timer.due_us < due_us)
        timer_set(&raft->io->timers, &raft->timer, due_us, election_timer);
}

void election_on_vote(struct raft *raft, struct raft_id from, const struct raft_vote *vote)
{
    if (!raft_is_log_ready(raft) || raft->role == RAFT_FORMING)
        return;
    const bool hears = raft_hears_leader(raft);
    if (vote->pre_vote) {
        const bool is_second = stands_first(raft, from, vote);
        const bool granted =
            vote->term > raft->term && !hears && is_up_to_date(raft, vote) && !is_second;
        answer(raft, from.node, vote, granted);
        if (granted)
            let_stand(raft);
        if (is_second)
            election_ask(raft, from.node); /* it hears no leader any more, as it may have before */
        return;
    }
    if (vote->term > raft->term && (!hears || vote->transfer))
        raft_adopt_term(raft, vote->term);
    if (vote->term != raft->term || raft->role == RAFT_LEADER || raft->leader != RAFT_NOBODY ||
        (raft->voted.node != RAFT_NOBODY && !raft_id_equal(raft->voted, from)) ||
        !is_up_to_date(raft, vote)) {
        answer(raft, from.node, vote, false);
        return;
    }
    raft->voted = from;
    raft->grant_due = true; /* follower_pump() tells it, once it is durable */
    raft_patience_set(raft);
}

/* Somebody leads: it may not know that this node wants to be led, or that this node's term is
 * higher than its own, so that it cannot. */
static void seek_leader(struct raft *raft, const struct raft_voted *voted)
{
    if (voted->leader_endpoints_count > 0)
        raft->host->node_known(raft->host, voted->leader_id, voted->leader_endpoints[0].host,
                               voted->leader_endpoints[0].port);
    raft_send(
        raft, voted->leader_id,
        &(struct raft_message){.type = RAFT_MESSAGE_FOLLOW, .body.follow = {.term = raft->term}});
}

void election_on_voted(struct raft *raft, struct raft_id from, const struct raft_voted *voted)
{
    if (voted->term > raft->term && !(voted->pre_vote && voted->granted))
        raft_adopt_term(raft, voted->term);
    const bool pre_vote = raft->role == RAFT_PROSPECTIVE;
    if (!voted->granted && voted->leader_id != RAFT_NOBODY &&
        voted->leader_id != raft->settings.self.node && raft->leader == RAFT_NOBODY)
        seek_leader(raft, voted);
    if ((!pre_vote && raft->role != RAFT_CANDIDATE) || voted->pre_vote != pre_vote ||
        voted->asked_term != raft->term + (pre_vote ? 1 : 0) || !raft->votes_asked)
        return;
    const struct raft_voters *voters = voters_newest(raft);
    const struct voters_record_voter *voter = raft_voters_find(voters, from);
    if (voter != NULL)
        raft->votes[voter - voters->record.voters] = voted->granted ? 1 : -1;
}

void election_on_stand(struct raft *raft, struct raft_id from, const struct raft_stand *order)
{
    if (order->term != raft->term || raft->role != RAFT_FOLLOWER || from.node != raft->leader)
        return;
    io_log(raft->io, LOG_INFO, "the quorum's leader asks this node to stand: leader=%d term=%d",
           from.node, raft->term);
    election_start(raft, true);
}

void raft_stand(struct raft *raft)
{
    if (raft->role == RAFT_FOLLOWER && !raft->is_heard)
        election_start(raft, false);
}
