/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leading: a term begins with a leader change record; entries are pushed to every voter and to
 * every observer that asked for it; committed is what is durable at a majority of the voters, as
 * far as it was appended in this term (Raft 5.4.2). A leader that a majority does not answer steps
 * down.
 */
#include "core/base/check.h"
#include "core/raft/internal.h"
#include "core/wire/error.h"

/* Observers that were not heard for so many fetch timeouts are forgotten. */
#define OBSERVER_PATIENCE 5

/* ---- Notes about followers ---- */

struct raft_peer *leader_peer(struct raft *raft, struct raft_id id)
{
    for (struct list *place = raft->peers.next; place != &raft->peers; place = place->next) {
        struct raft_peer *peer = container_of(place, struct raft_peer, place);
        if (raft_id_equal(peer->id, id))
            return peer;
    }
    return NULL;
}

/* Every voter has its note. Who votes no longer stays as an observer, so that it learns of it. */
static void peers_match_voters(struct raft *raft)
{
    const struct raft_voters *voters = voters_newest(raft);
    struct list *place;
    struct list *next;
    raft->observers_count = 0;
    list_each(&raft->peers, place, next)
    {
        struct raft_peer *peer = container_of(place, struct raft_peer, place);
        peer->is_voter = raft_voters_find(voters, peer->id) != NULL;
        raft->observers_count += !peer->is_voter;
    }
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        const struct raft_id id = raft_voter_id(&voters->record.voters[i]);
        if (!raft_id_equal(id, raft->settings.self) && leader_peer(raft, id) == NULL)
            peer_new(raft, id, true);
    }
}

bool raft_replica(const struct raft *raft, uint32_t number, struct raft_replica *ret_replica)
{
    if (raft->role != RAFT_LEADER)
        return false;
    if (number == 0) {
        *ret_replica = (struct raft_replica){
            .id = raft->settings.self,
            .is_voter = raft_is_voter(raft),
            .end_offset = raft_log_end(raft),
            .heard_us = raft->io->now_us,
            .caught_up_us = raft->io->now_us,
        };
        return true;
    }
    struct list *place = raft->peers.next;
    for (; place != &raft->peers && number > 1; number--)
        place = place->next;
    if (place == &raft->peers)
        return false;
    const struct raft_peer *peer = container_of(place, struct raft_peer, place);
    const bool is_heard = peer->heard_sequence > 0; /* if not, heard_us is when the term began */
    *ret_replica = (struct raft_replica){
        .id = peer->id,
        .is_voter = peer->is_voter,
        .end_offset = peer->match > 0 ? peer->match : -1,
        .heard_us = is_heard ? peer->heard_us : 0,
        .caught_up_us = peer->caught_up_us,
    };
    return true;
}

void leader_peer_up(struct raft *raft, int32_t node)
{
    for (struct list *place = raft->peers.next; place != &raft->peers; place = place->next) {
        struct raft_peer *peer = container_of(place, struct raft_peer, place);
        if (peer->id.node == node) {
            peer->up_us = raft->io->now_us;
            peer->is_full = false;
            peer_probe(peer, peer->state == PEER_SNAPSHOT ? peer->snapshot.offset : peer->next);
        }
    }
}

void raft_peer_drained(struct raft *raft, int32_t node)
{
    for (struct list *place = raft->peers.next; place != &raft->peers; place = place->next) {
        struct raft_peer *peer = container_of(place, struct raft_peer, place);
        if (peer->id.node == node)
            peer->is_full = false;
    }
    raft_wake(raft);
}

/* ---- The beat ---- */

bool leader_majority(const struct raft *raft, bool self,
                     bool (*is)(const struct raft_peer *peer, int64_t bound), int64_t bound)
{
    const int32_t voters = voters_newest(raft)->record.voters_count;
    int32_t count = raft_is_voter(raft) && self;
    for (struct list *place = raft->peers.next; place != &raft->peers; place = place->next) {
        const struct raft_peer *peer = container_of(place, struct raft_peer, place);
        count += peer->is_voter && is(peer, bound);
    }
    return count > voters / 2;
}

static bool is_heard_since(const struct raft_peer *peer, int64_t bound_us)
{
    return (int64_t)peer->heard_us >= bound_us;
}

static void beat_set(struct raft *raft);

/* The question or the answer was lost, perhaps, or the follower's disk did not take it. A piece of
 * a snapshot may be on its way still, unless what was said after it is answered. */
static bool is_to_ask_again(const struct raft_peer *peer, uint64_t beat_us)
{
    return peer->raft->io->now_us - peer->asked_us >= beat_us &&
           (peer->state != PEER_SNAPSHOT || peer->heard_sequence > peer->asked_sequence);
}

static void leader_beat(struct timer *timer)
{
    struct raft *raft = container_of(timer, struct raft, timer);
    const uint64_t now_us = raft->io->now_us;
    const uint64_t fetch_us = (uint64_t)raft->settings.fetch_timeout_ms * 1000;
    const uint64_t beat_us = (uint64_t)raft->settings.heartbeat_ms * 1000;
    if (!leader_majority(raft, true, is_heard_since, (int64_t)now_us - (int64_t)fetch_us)) {
        io_log(raft->io, LOG_WARN,
               "a majority of the voters does not answer: this node leads no "
               "longer: term=%d",
               raft->term);
        leader_step_down(raft);
        return;
    }
    struct list *place;
    struct list *next;
    list_each(&raft->peers, place, next)
    {
        struct raft_peer *peer = container_of(place, struct raft_peer, place);
        peer->read_failed = false;
        peer->is_full = false;
        if (!peer->is_voter && now_us - peer->heard_us > OBSERVER_PATIENCE * fetch_us) {
            peer_free(peer);
            continue;
        }
        if (is_to_ask_again(peer, beat_us))
            peer->is_asked = false;
        if (now_us - peer->sent_us >= beat_us && peer->state != PEER_PROBE)
            peer_append(peer, NULL, SPAN_NULL);
    }
    beat_set(raft);
    raft_wake(raft);
}

/* Nobody else: nothing to say. */
static void beat_set(struct raft *raft)
{
    if (list_empty(&raft->peers))
        timer_cancel(&raft->io->timers, &raft->timer);
    else
        timer_set(&raft->io->timers, &raft->timer,
                  raft->io->now_us + (uint64_t)raft->settings.heartbeat_ms * 1000, leader_beat);
}

/* ---- Terms ---- */

int leader_append_control(struct raft *raft, enum control_type type,
                          const struct wire_schema *schema, const void *message)
{
    struct buffer *buffer = control_batch(raft->io->memory, type, schema, message,
                                          raft_log_end(raft), raft->term, raft->io->wall_ms);
    const int error = raft->host->log_append(raft->host, buffer, buffer->data, buffer->capacity);
    buffer_release(buffer);
    return error;
}

/* The term's first record: who leads, who may vote, who did. */
static int append_leader_change(struct raft *raft)
{
    const struct raft_voters *voters = voters_newest(raft);
    struct leader_change_message_voter all[RAFT_VOTERS_MAX];
    struct leader_change_message_granting_voter granting[RAFT_VOTERS_MAX];
    struct leader_change_message message = {
        .leader_id = raft->settings.self.node,
        .voters = all,
        .granting_voters = granting,
    };
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        all[message.voters_count++].voter_id = voters->record.voters[i].voter_id;
        if (raft->votes[i] == 1)
            granting[message.granting_voters_count++].voter_id = voters->record.voters[i].voter_id;
    }
    return leader_append_control(raft, CONTROL_LEADER_CHANGE, &wire_leader_change_message,
                                 &message);
}

int leader_append_voters(struct raft *raft, const struct voters_record *record)
{
    struct raft_voters *voters;
    if (raft_voters_copy(raft->io->memory, raft_log_end(raft), record, &voters) != ERR_NONE)
        return ERR_INCONSISTENT_VOTER_SET;
    const int error =
        leader_append_control(raft, CONTROL_VOTERS, &wire_voters_record, &voters->record);
    if (error != ERR_NONE)
        raft_voters_free(voters);
    else
        voters_push(raft, voters);
    return error;
}

/* Where others reach this node, as its settings have it; NULL when they do not say. */
static const struct raft_seed *own_seed(const struct raft *raft)
{
    for (uint32_t i = 0; i < raft->settings.seeds_count; i++) {
        if (raft->seeds[i].node == raft->settings.self.node)
            return &raft->seeds[i];
    }
    return NULL;
}

static bool is_reached_there(const struct voters_record_voter *voter, const struct raft_seed *seed)
{
    const struct voters_record_voter_endpoint *first = voter->endpoints;
    return voter->endpoints_count > 0 && first->port == seed->port &&
           span_equal(first->host, seed->host) && span_equal(first->name, seed->listener);
}

/* Voters that are only configured get into the log; so does where this one is reached now (KIP-853:
 * voters tell their leaders). It was alone once, say, and nobody else had to reach it. */
static int append_own_voters(struct raft *raft)
{
    const struct raft_voters *voters = voters_newest(raft);
    const struct raft_seed *seed = own_seed(raft);
    const struct voters_record_voter *self = raft_voters_find(voters, raft->settings.self);
    if (voters->offset == RAFT_VOTERS_SEEDED)
        return leader_append_voters(raft, &voters->record);
    if (seed == NULL || self == NULL || is_reached_there(self, seed))
        return ERR_NONE;
    struct voters_record_voter_endpoint endpoint = {
        .name = seed->listener, .host = seed->host, .port = seed->port};
    struct voters_record_voter all[RAFT_VOTERS_MAX];
    struct voters_record record = {.voters = all, .voters_count = voters->record.voters_count};
    for (int32_t i = 0; i < record.voters_count; i++) {
        all[i] = voters->record.voters[i];
        if (&voters->record.voters[i] != self)
            continue;
        all[i].endpoints = &endpoint;
        all[i].endpoints_count = 1;
    }
    return leader_append_voters(raft, &record);
}

void leader_start(struct raft *raft)
{
    timer_cancel(&raft->io->timers, &raft->timer);
    raft->role = RAFT_LEADER;
    raft->leader = raft->settings.self.node;
    raft->role_dirty = true;
    raft->sequence = 0;
    raft->transfer = RAFT_NOBODY;
    raft->round_due = false;
    raft->term_start = raft_log_end(raft);
    raft->term_ready = INT64_MAX;
    io_log(raft->io, LOG_INFO, "this node leads the quorum: term=%d offset=%lld", raft->term,
           (long long)raft->term_start);
    int error = append_leader_change(raft);
    if (error == ERR_NONE)
        error = append_own_voters(raft);
    if (error != ERR_NONE) {
        io_log(raft->io, LOG_ERROR, "a term cannot begin: term=%d error=%s", raft->term,
               error_name(error));
        raft_become_follower(raft);
        return;
    }
    raft->term_ready = raft_log_end(raft);
    leader_voters_changed(raft);
}

void leader_stop(struct raft *raft)
{
    while (!list_empty(&raft->peers))
        peer_free(container_of(raft->peers.next, struct raft_peer, place));
    raft->transfer = RAFT_NOBODY;
    raft->term_ready = INT64_MAX;
    barrier_fail_all(raft);
}

void leader_voters_changed(struct raft *raft)
{
    peers_match_voters(raft);
    beat_set(raft);
    raft_wake(raft);
}

/* ---- Committing ---- */

/* The largest offset that a majority of the voters has durably. */
static int64_t majority_end(const struct raft *raft)
{
    const int32_t voters = voters_newest(raft)->record.voters_count;
    int64_t ends[RAFT_VOTERS_MAX] = {0}; /* falling */
    int32_t count = 0;
    /* A leader that was removed leads on until that is committed, without a vote. */
    if (raft_is_voter(raft))
        ends[count++] = raft->host->log_durable_end(raft->host);
    for (struct list *place = raft->peers.next; place != &raft->peers; place = place->next) {
        const struct raft_peer *peer = container_of(place, struct raft_peer, place);
        if (!peer->is_voter)
            continue;
        int32_t at = count++;
        for (; at > 0 && ends[at - 1] < peer->match; at--)
            ends[at] = ends[at - 1];
        ends[at] = peer->match;
    }
    CHECK(count <= voters);
    return ends[voters / 2];
}

void leader_advance(struct raft *raft)
{
    const int64_t end = majority_end(raft);
    /* Entries of earlier terms are committed by one of this term behind them, never by counting. */
    if (end > raft->term_start && end > raft->committed)
        raft->committed = end;
}

void leader_pump(struct raft *raft)
{
    leader_advance(raft);
    transfer_pump(raft);
    if (raft->role != RAFT_LEADER)
        return;
    barrier_pump(raft);
    struct list *place;
    struct list *next;
    list_each(&raft->peers, place, next)
    {
        struct raft_peer *peer = container_of(place, struct raft_peer, place);
        peer_pump(peer);
        if (raft->round_due && peer->is_voter)
            peer_append(peer, NULL, SPAN_NULL);
    }
    raft->round_due = false;
}

/* ---- Answers ---- */

void leader_on_appended(struct raft *raft, struct raft_id from,
                        const struct raft_appended *appended)
{
    if (raft->role != RAFT_LEADER || appended->term != raft->term)
        return;
    struct raft_peer *peer = leader_peer(raft, from);
    const int64_t end = raft_log_end(raft);
    if (peer ==
        NULL) { /* a voter that came back with another folder, and hears what that one is sent */
        leader_on_follow(raft, from);
        return;
    }
    if (appended->sequence > raft->sequence)
        return;
    peer->heard_us = raft->io->now_us;
    if (peer->heard_sequence < appended->sequence)
        peer->heard_sequence = appended->sequence;
    if (!appended->accepted)
        peer_refused(peer, appended);
    else if (appended->durable_end <= appended->end_offset && appended->end_offset <= end)
        peer_accepted(peer, appended);
}

void leader_on_follow(struct raft *raft, struct raft_id from)
{
    struct raft_peer *peer = leader_peer(raft, from);
    if (peer != NULL) {
        peer->is_asked = false; /* it has not heard us: at once, and not with the next beat */
        if (peer->state == PEER_STREAM)
            peer_probe(peer, peer->next);
        return;
    }
    if (raft->observers_count == RAFT_OBSERVERS_MAX) {
        io_log(raft->io, LOG_WARN, "no more observers: node=%d", from.node);
        return;
    }
    peer_new(raft, from, false);
    beat_set(raft);
}
