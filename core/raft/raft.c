/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/check.h"
#include "core/raft/internal.h"
#include "core/wire/error.h"

/* ---- Life ---- */

/* One block holds the seeds and, behind them, their texts. */
static void seeds_copy(struct raft *raft, const struct raft_settings *settings)
{
    if (settings->seeds_count == 0)
        return;
    size_t bytes = settings->seeds_count * sizeof(struct raft_seed);
    for (uint32_t i = 0; i < settings->seeds_count; i++)
        bytes += settings->seeds[i].listener.length + settings->seeds[i].host.length;
    raft->seeds_bytes = bytes;
    raft->seeds = memory_take(raft->io->memory, MEMORY_STATE, bytes);
    uint8_t *at = (uint8_t *)(raft->seeds + settings->seeds_count);
    for (uint32_t i = 0; i < settings->seeds_count; i++) {
        struct raft_seed *seed = &raft->seeds[i];
        *seed = settings->seeds[i];
        struct span *const texts[] = {&seed->listener, &seed->host};
        for (size_t j = 0; j < 2; j++) {
            if (texts[j]->length > 0)
                memcpy(at, texts[j]->data, texts[j]->length);
            texts[j]->data = at;
            at += texts[j]->length;
        }
    }
    raft->settings.seeds = raft->seeds;
}

struct raft *raft_new(struct io *io, const struct raft_settings *settings, struct raft_host *host)
{
    struct raft *raft = memory_new(io->memory, struct raft);
    CHECK(settings->seeds_count <= RAFT_VOTERS_MAX);
    raft->io = io;
    raft->host = host;
    raft->settings = *settings;
    raft->voted.node = RAFT_NOBODY;
    raft->durable.voted.node = RAFT_NOBODY;
    raft->leader = RAFT_NOBODY;
    raft->transfer = RAFT_NOBODY;
    raft->lost_end = -1;
    list_init(&raft->task.place);
    list_init(&raft->voters);
    list_init(&raft->peers);
    list_init(&raft->barriers);
    list_init(&raft->barriers_over);
    seeds_copy(raft, settings);
    return raft;
}

void raft_free(struct raft *raft)
{
    if (raft == NULL)
        return;
    struct memory *memory = raft->io->memory;
    leader_stop(raft);
    while (list_pop(&raft->barriers_over) != NULL)
        continue; /* nobody is told any more */
    timer_cancel(&raft->io->timers, &raft->timer);
    list_remove(&raft->task.place);
    voters_clear(raft);
    formation_free(raft);
    memory_give(memory, MEMORY_STATE, raft->seeds, raft->seeds_bytes);
    memory_give(memory, MEMORY_STATE, raft, sizeof(*raft));
}

void raft_boot_vote(struct raft *raft, const struct raft_vote_state *state)
{
    raft->term = state->term;
    raft->voted = state->voted; /* persist() makes it durable, before it binds anybody */
}

int raft_boot_voters(struct raft *raft, int64_t offset, struct span value)
{
    struct raft_voters *voters;
    const int error = raft_voters_decode(raft->io->memory, offset, value, &voters);
    if (error == ERR_NONE)
        voters_push(raft, voters);
    return error;
}

int raft_boot_batch(struct raft *raft, struct span batch)
{
    struct raft_voters *voters;
    const int error = voters_read(raft, batch, &voters);
    if (voters != NULL)
        voters_push(raft, voters);
    if (error == ERR_NONE)
        formation_boot_batch(raft, batch);
    return error;
}

void raft_start(struct raft *raft, int64_t applied)
{
    raft->committed = applied;
    raft->committed_told = applied;
    raft->applied = applied;
    raft->verified = applied;
    raft->role_dirty = true;
    raft->voters_dirty = true;
    /* Entries of a term are there: whoever wrote them was elected in it. */
    if (raft->term < raft_last_epoch(raft)) {
        raft->term = raft_last_epoch(raft);
        raft->voted = (struct raft_id){.node = RAFT_NOBODY};
    }
    formation_start(raft);
    raft_wake(raft);
}

static void raft_end_role(struct raft *raft)
{
    leader_stop(raft);
    timer_cancel(&raft->io->timers, &raft->timer);
    raft->leader = RAFT_NOBODY;
    raft->is_heard = false;
    raft->role_dirty = true;
}

void raft_stop(struct raft *raft)
{
    if (raft->is_stopped)
        return;
    raft_end_role(raft);
    raft->role = RAFT_STOPPED;
    raft->is_stopped = true;
    raft_wake(raft);
}

void raft_fail(struct raft *raft, const char *what, int error)
{
    io_log(raft->io, LOG_ERROR, "this node leaves the quorum: %s error=%s", what,
           error_name(error));
    raft_stop(raft);
}

/* ---- What is asked often ---- */

uint64_t raft_draw(struct raft *raft, uint64_t below)
{
    return rng_next(&raft->io->rng) % below;
}

bool raft_is_durable(const struct raft *raft)
{
    return raft->term == raft->durable.term && raft_id_equal(raft->voted, raft->durable.voted);
}

bool raft_is_log_ready(const struct raft *raft)
{
    return !raft->is_log_lost && !raft->is_truncating && !raft->is_installing;
}

bool raft_hears_leader(const struct raft *raft)
{
    if (raft->role == RAFT_LEADER)
        return true;
    return raft->is_heard &&
           raft->io->now_us - raft->heard_us < (uint64_t)raft->settings.fetch_timeout_ms * 1000;
}

bool raft_is_voter(const struct raft *raft)
{
    return raft_voters_find(voters_newest(raft), raft->settings.self) != NULL;
}

bool raft_is_electable(const struct raft *raft)
{
    return raft_is_voter(raft) ||
           raft_voters_find(voters_before(raft), raft->settings.self) != NULL;
}

int64_t raft_log_end(const struct raft *raft)
{
    return raft->host->log_end(raft->host);
}

int32_t raft_last_epoch(const struct raft *raft)
{
    return raft->host->log_epoch_before(raft->host, raft_log_end(raft));
}

void raft_send(struct raft *raft, int32_t node, const struct raft_message *message)
{
    raft->host->send(raft->host, node, message, NULL);
}

void raft_send_known(struct raft *raft, const struct raft_message *message)
{
    const struct raft_voters *voters = voters_newest(raft);
    for (uint32_t i = 0; i < raft->settings.seeds_count; i++) {
        if (raft->seeds[i].node != raft->settings.self.node)
            raft_send(raft, raft->seeds[i].node, message);
    }
    for (int32_t i = 0; voters != NULL && i < voters->record.voters_count; i++) {
        const int32_t node = voters->record.voters[i].voter_id;
        bool is_seed = node == raft->settings.self.node;
        for (uint32_t j = 0; j < raft->settings.seeds_count; j++)
            is_seed = is_seed || raft->seeds[j].node == node;
        if (!is_seed)
            raft_send(raft, node, message);
    }
}

struct raft_status raft_status(const struct raft *raft)
{
    return (struct raft_status){
        .role = raft->role,
        .term = raft->term,
        .leader = raft->leader,
        .is_established = raft->role == RAFT_LEADER && raft->applied >= raft->term_ready,
        .committed = raft->committed,
        .applied = raft->applied,
    };
}

/* ---- Terms and roles ---- */

void raft_timer_set(struct raft *raft, uint32_t ms)
{
    const uint64_t us = (uint64_t)ms * 1000;
    timer_set(&raft->io->timers, &raft->timer, raft->io->now_us + us + raft_draw(raft, us + 1),
              raft->role == RAFT_FORMING ? formation_timer : election_timer);
}

void raft_patience_set(struct raft *raft)
{
    const uint64_t us = (uint64_t)raft->settings.fetch_timeout_ms * 1000;
    timer_set(&raft->io->timers, &raft->timer,
              raft->io->now_us + us + us / 20 + raft_draw(raft, us / 10 + 1), election_timer);
}

void raft_adopt_term(struct raft *raft, int32_t term)
{
    if (term <= raft->term)
        return;
    const bool loses_leader = raft->role == RAFT_LEADER;
    raft->term = term;
    raft->voted = (struct raft_id){.node = RAFT_NOBODY};
    raft->grant_due = false;
    raft->leader = RAFT_NOBODY;
    raft->is_heard = false;
    if (loses_leader)
        io_log(raft->io, LOG_INFO, "a higher term ends this node's leadership: term=%d", term);
    raft_become_follower(raft);
}

void raft_become_follower(struct raft *raft)
{
    if (raft->role == RAFT_STOPPED)
        return;
    const bool was_passive = raft->role == RAFT_FOLLOWER || raft->role == RAFT_OBSERVER;
    if (raft->role == RAFT_LEADER)
        raft_end_role(raft);
    raft->role = raft_is_electable(raft) ? RAFT_FOLLOWER : RAFT_OBSERVER;
    raft->role_dirty = true;
    if (!was_passive || !timer_is_set(&raft->timer))
        raft_patience_set(raft);
    raft_wake(raft);
}

/* ---- The end of the turn ---- */

static void persist(struct raft *raft)
{
    if (raft->is_persisting || raft_is_durable(raft) || raft->role == RAFT_STOPPED)
        return;
    raft->is_persisting = true;
    raft->persisting = (struct raft_vote_state){.term = raft->term, .voted = raft->voted};
    raft->host->persist(raft->host, &raft->persisting);
}

/* Who follows may have become a voter, or be one no longer. */
static void role_match_voters(struct raft *raft)
{
    const enum raft_role role = raft_is_electable(raft) ? RAFT_FOLLOWER : RAFT_OBSERVER;
    if ((raft->role != RAFT_FOLLOWER && raft->role != RAFT_OBSERVER) || raft->role == role)
        return;
    raft->role = role;
    raft->role_dirty = true;
}

static void tell(struct raft *raft)
{
    role_match_voters(raft);
    if (raft->voters_dirty) {
        raft->voters_dirty = false;
        raft->host->voters_changed(raft->host);
    }
    const bool established = raft_status(raft).is_established;
    if (raft->role_dirty || established != raft->was_established) {
        raft->role_dirty = false;
        raft->was_established = established;
        raft->host->role_changed(raft->host);
    }
    if (raft->committed > raft->committed_told) {
        raft->committed_told = raft->committed;
        raft->host->committed(raft->host, raft->committed);
    }
    barrier_tell(raft);
}

static void raft_pump(struct turn_task *task)
{
    struct raft *raft = container_of(task, struct raft, task);
    switch (raft->role) {
    case RAFT_FORMING:
        formation_pump(raft);
        break;
    case RAFT_PROSPECTIVE:
    case RAFT_CANDIDATE:
        election_pump(raft);
        break;
    default:
        break;
    }
    persist(raft);
    if (raft->role == RAFT_LEADER)
        leader_pump(raft);
    if (raft->role != RAFT_STOPPED && raft->role != RAFT_FORMING)
        follower_pump(raft);
    persist(raft);
    tell(raft);
}

void raft_wake(struct raft *raft)
{
    io_at_turn_end(raft->io, &raft->task, raft_pump);
}

/* ---- Events ---- */

void raft_persisted(struct raft *raft, int error)
{
    raft->is_persisting = false;
    if (error != ERR_NONE) {
        raft_fail(raft, "its vote cannot be made durable", error);
        return;
    }
    raft->durable = raft->persisting;
    raft_wake(raft);
}

void raft_log_changed(struct raft *raft)
{
    raft_wake(raft);
    if (raft->role == RAFT_FOLLOWER || raft->role == RAFT_OBSERVER)
        raft->ack_due = raft->ack_due || raft->leader != RAFT_NOBODY;
}

void raft_log_lost(struct raft *raft)
{
    raft->is_log_lost = true;
    if (raft->role == RAFT_LEADER || raft->role == RAFT_CANDIDATE || raft->role == RAFT_PROSPECTIVE)
        raft_become_follower(raft);
    raft_wake(raft);
}

void raft_log_ready(struct raft *raft)
{
    const int64_t end = raft_log_end(raft);
    raft->is_log_lost = false;
    if (raft->verified > end)
        raft->verified = end;
    voters_cut(raft, end);
    formation_log_ready(raft);
    /* A disk that took nothing since the last loss is asked anew with the leader's next beat. */
    if (raft->leader != RAFT_NOBODY && end != raft->lost_end)
        follower_refuse(raft, raft->sequence_heard, raft->term);
    raft->lost_end = end;
    raft_wake(raft);
}

void raft_applied(struct raft *raft, int64_t offset)
{
    if (offset > raft->applied)
        raft->applied = offset;
    voters_trim(raft);
    raft_wake(raft);
}

/* Who speaks of elections shows that the cluster was formed; not who only asks to be led. */
static void note_formed(struct raft *raft, const struct raft_message *message)
{
    if (raft->role == RAFT_FORMING && message->type != RAFT_MESSAGE_FORM &&
        message->type != RAFT_MESSAGE_FORM_FIRST &&
        (message->type != RAFT_MESSAGE_FOLLOW || message->body.follow.term > 0))
        formation_over(raft);
}

void raft_receive(struct raft *raft, struct raft_id from, const struct raft_message *message,
                  struct buffer *buffer)
{
    if (raft->role == RAFT_STOPPED || from.node == raft->settings.self.node)
        return;
    const union raft_message_body *body = &message->body;
    note_formed(raft, message);
    switch (message->type) {
    case RAFT_MESSAGE_VOTE:
        election_on_vote(raft, from, &body->vote);
        break;
    case RAFT_MESSAGE_VOTED:
        election_on_voted(raft, from, &body->voted);
        break;
    case RAFT_MESSAGE_APPEND:
        follower_on_append(raft, from, &body->append, buffer);
        break;
    case RAFT_MESSAGE_APPENDED:
        raft_adopt_term(raft, body->appended.term);
        leader_on_appended(raft, from, &body->appended);
        break;
    case RAFT_MESSAGE_SNAPSHOT:
        snapshot_on_snapshot(raft, from, &body->snapshot, buffer);
        break;
    case RAFT_MESSAGE_SNAPPED:
        raft_adopt_term(raft, body->snapped.term);
        snapshot_on_snapped(raft, from, &body->snapped);
        break;
    case RAFT_MESSAGE_FOLLOW:
        raft_adopt_term(raft, body->follow.term);
        election_on_follow(raft, from, &body->follow);
        break;
    case RAFT_MESSAGE_STAND:
        election_on_stand(raft, from, &body->stand);
        break;
    case RAFT_MESSAGE_FORM:
        formation_on_form(raft, from, &body->form);
        break;
    case RAFT_MESSAGE_FORM_FIRST:
        formation_on_first(raft, from, &body->form_first, buffer);
        break;
    }
    raft_wake(raft);
}

void raft_peer_up(struct raft *raft, int32_t node)
{
    switch (raft->role) {
    case RAFT_FORMING:
        formation_ask(raft, node);
        break;
    case RAFT_OBSERVER:
        follower_ask_to_follow(raft);
        break;
    case RAFT_PROSPECTIVE:
    case RAFT_CANDIDATE:
        election_ask(raft, node);
        break;
    case RAFT_LEADER:
        leader_peer_up(raft, node);
        break;
    default:
        break;
    }
    raft_wake(raft);
}

/* How long those who saw the leader's end wait for one another, at most: so short that a failover
 * takes milliseconds, so long that they seldom stand at once. */
#define DEATH_JITTER_US 20000

void raft_peer_dead(struct raft *raft, int32_t node)
{
    if (raft->leader != node || (raft->role != RAFT_FOLLOWER && raft->role != RAFT_OBSERVER))
        return;
    io_log(raft->io, LOG_INFO, "the quorum's leader has ended: node=%d term=%d", node, raft->term);
    raft->leader = RAFT_NOBODY;
    raft->is_heard = false;
    raft->role_dirty = true;
    timer_set(&raft->io->timers, &raft->timer, raft->io->now_us + raft_draw(raft, DEATH_JITTER_US),
              election_timer);
    raft_wake(raft);
}
