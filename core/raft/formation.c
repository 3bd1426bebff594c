/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a cluster begins. Every node that controller.quorum.voters names has to hold the same first
 * record, which names all of them with their folders, before anybody may stand for election. So
 * whoever was elected once was elected by voters of that record, and a node whose disk was wiped
 * finds others that know more, and never begins another history.
 *
 *     EMPTY ── the founder, when all others are empty too: writes the first record ──▶ FIRST
 *       │ └─── the others: take it from the founder, which is the seed of the least id ──▲
 *       │                                                                               │
 *       │ somebody knows otherwise                  the founder: all have it, durably;  │
 *       ▼                                           the others: somebody knows that     ▼
 *     OBSERVER                                                                        DONE
 *
 * A single seed needs nobody: it is the only voter, and its log says so from its first term on.
 * Seeds that have all lost their folders begin another cluster, whatever others know: so the
 * configuration has to follow when voters are replaced.
 */
#include "core/base/check.h"
#include "core/raft/internal.h"
#include "core/wire/error.h"

static struct voters_record_voter seed_as_voter(const struct raft_seed *seed, struct uuid directory,
                                                struct voters_record_voter_endpoint *endpoint)
{
    *endpoint = (struct voters_record_voter_endpoint){
        .name = seed->listener,
        .host = seed->host,
        .port = seed->port,
    };
    return (struct voters_record_voter){
        .voter_id = seed->node,
        .voter_directory_id = directory,
        .endpoints = endpoint,
        .endpoints_count = 1,
        .kraft_version_feature = {.max_supported_version = 1},
    };
}

/* −1: it is none */
static int32_t seed_index(const struct raft *raft, int32_t node)
{
    for (uint32_t i = 0; i < raft->settings.seeds_count; i++) {
        if (raft->seeds[i].node == node)
            return (int32_t)i;
    }
    return -1;
}

static int32_t founder(const struct raft *raft)
{
    int32_t least = INT32_MAX;
    for (uint32_t i = 0; i < raft->settings.seeds_count; i++) {
        if (raft->seeds[i].node < least)
            least = raft->seeds[i].node;
    }
    return least;
}

static bool is_founder(const struct raft *raft)
{
    return founder(raft) == raft->settings.self.node;
}

static int8_t state_now(const struct raft *raft)
{
    if (raft->is_formed || raft->term > 0)
        return FORM_DONE;
    return raft->form_first != NULL && raft->host->log_durable_end(raft->host) > 0 ? FORM_FIRST
                                                                                   : FORM_EMPTY;
}

static uint32_t checksum_of(const struct buffer *first)
{
    return first == NULL ? 0 : get_be32(first->data + BATCH_AT_CRC);
}

/* ---- The start ---- */

void formation_boot_batch(struct raft *raft, struct span batch)
{
    if (get_be64(batch.data + BATCH_AT_BASE_OFFSET) != 0 || batch.length > RAFT_VOTERS_BYTES_MAX ||
        raft->form_first != NULL)
        return;
    raft->form_first = buffer_new(raft->io->memory, MEMORY_STATE, (uint32_t)batch.length);
    memcpy(raft->form_first->data, batch.data, batch.length);
}

void formation_free(struct raft *raft)
{
    buffer_release(raft->form_first);
    raft->form_first = NULL;
    memory_give(raft->io->memory, MEMORY_STATE, raft->form_peers,
                raft->settings.seeds_count * sizeof(*raft->form_peers));
    raft->form_peers = NULL;
}

/* The log has nothing but the record that a cluster begins with, or not even that. */
static bool is_unformed(const struct raft *raft)
{
    const struct raft_voters *voters = voters_newest(raft);
    const int64_t end = raft_log_end(raft);
    return raft->term == 0 && (end == 0 || (end == 1 && voters != NULL && voters->offset == 0));
}

static void seed_alone(struct raft *raft)
{
    struct voters_record_voter_endpoint endpoint;
    struct voters_record_voter voter =
        seed_as_voter(&raft->seeds[0], raft->settings.self.directory, &endpoint);
    const struct voters_record record = {.voters = &voter, .voters_count = 1};
    struct raft_voters *voters;
    const int error = raft_voters_copy(raft->io->memory, RAFT_VOTERS_SEEDED, &record, &voters);
    CHECK(error == ERR_NONE); /* one host's name is no long record */
    voters_push(raft, voters);
}

void formation_start(struct raft *raft)
{
    const uint32_t seeds = raft->settings.seeds_count;
    const bool is_seed = seed_index(raft, raft->settings.self.node) >= 0;
    if (is_seed && seeds > 1 && is_unformed(raft)) {
        raft->role = RAFT_FORMING;
        raft->form_told = FORM_UNKNOWN;
        raft->form_peers =
            memory_take(raft->io->memory, MEMORY_STATE, seeds * sizeof(*raft->form_peers));
        for (uint32_t i = 0; i < seeds; i++)
            raft->form_peers[i].state = FORM_UNKNOWN;
        raft_timer_set(raft, raft->settings.heartbeat_ms);
        io_log(raft->io, LOG_INFO, "the cluster is not formed yet: it waits for all voters=%u",
               seeds);
        return;
    }
    formation_free(raft);
    if (is_seed && seeds == 1 && voters_newest(raft) == NULL)
        seed_alone(raft);
    raft->role = RAFT_FOLLOWER;
    raft_become_follower(raft);
    if (raft->role == RAFT_OBSERVER)
        follower_ask_to_follow(raft);
    else if (raft_is_voter(raft) && voters_newest(raft)->record.voters_count == 1)
        election_start(raft, false); /* nobody else leads */
    else
        raft_timer_set(raft, raft->settings.election_timeout_ms);
}

void formation_over(struct raft *raft)
{
    if (raft->role != RAFT_FORMING)
        return;
    raft->is_formed = true;
    timer_cancel(&raft->io->timers, &raft->timer);
    formation_free(raft);
    raft->role = RAFT_FOLLOWER;
    raft_become_follower(raft);
    raft_timer_set(raft, raft->settings.election_timeout_ms);
    if (raft->role == RAFT_OBSERVER) {
        io_log(raft->io, LOG_WARN,
               "the cluster exists, and this node's folder is not among its voters: it follows "
               "mend=\"remove the voter that it was, and add it again\"");
        follower_ask_to_follow(raft);
    }
}

void formation_log_ready(struct raft *raft)
{
    if (raft->role != RAFT_FORMING || raft_log_end(raft) > 0)
        return;
    buffer_release(raft->form_first); /* it was lost before it was durable */
    raft->form_first = NULL;
}

/* ---- What the others are told ---- */

static void send_form(struct raft *raft, int32_t node, bool is_answer)
{
    if (raft->is_log_lost)
        return; /* how far it is will be seen */
    raft_send(raft, node,
              &(struct raft_message){
                  .type = RAFT_MESSAGE_FORM,
                  .body.form = {.state = state_now(raft),
                                .checksum = checksum_of(raft->form_first),
                                .is_answer = is_answer},
              });
}

void formation_ask(struct raft *raft, int32_t node)
{
    send_form(raft, node, false);
}

static void send_to_all(struct raft *raft, bool is_answer)
{
    for (uint32_t i = 0; i < raft->settings.seeds_count; i++) {
        if (raft->seeds[i].node != raft->settings.self.node)
            send_form(raft, raft->seeds[i].node, is_answer);
    }
}

void formation_timer(struct timer *timer)
{
    struct raft *raft = container_of(timer, struct raft, timer);
    send_to_all(raft, false);
    raft_timer_set(raft, raft->settings.heartbeat_ms);
}

static void send_first(struct raft *raft, int32_t node)
{
    const struct raft_message message = {
        .type = RAFT_MESSAGE_FORM_FIRST,
        .body.form_first = {.records = span_of(raft->form_first->data, raft->form_first->capacity)},
    };
    raft->host->send(raft->host, node, &message, raft->form_first);
}

/* ---- The founder ---- */

static bool others_are(const struct raft *raft, int8_t state)
{
    for (uint32_t i = 0; i < raft->settings.seeds_count; i++) {
        const struct form_peer *peer = &raft->form_peers[i];
        if (raft->seeds[i].node == raft->settings.self.node)
            continue;
        if (peer->state != state)
            return false;
        if (state == FORM_FIRST && (peer->checksum != checksum_of(raft->form_first) ||
                                    raft_voters_find(voters_newest(raft), peer->id) == NULL))
            return false;
    }
    return true;
}

/* Takes the first record of this log over; the log's own reference goes with its write. */
static int append_first(struct raft *raft, struct buffer *first, struct raft_voters *voters)
{
    const int error = raft->host->log_append(raft->host, first, first->data, first->capacity);
    if (error != ERR_NONE) {
        io_log(raft->io, LOG_ERROR, "the first record of the cluster cannot be written: error=%s",
               error_name(error));
        raft_voters_free(voters);
        return error;
    }
    raft->form_first = buffer_hold(first);
    voters_push(raft, voters);
    return ERR_NONE;
}

static void found(struct raft *raft)
{
    struct voters_record_voter all[RAFT_VOTERS_MAX];
    struct voters_record_voter_endpoint endpoints[RAFT_VOTERS_MAX];
    struct voters_record record = {.voters = all};
    struct raft_voters *voters;
    for (uint32_t i = 0; i < raft->settings.seeds_count; i++) {
        const bool is_self = raft->seeds[i].node == raft->settings.self.node;
        const struct raft_id *id = is_self ? &raft->settings.self : &raft->form_peers[i].id;
        all[i] = seed_as_voter(&raft->seeds[i], id->directory, &endpoints[i]);
        record.voters_count++;
    }
    if (raft_voters_copy(raft->io->memory, 0, &record, &voters) != ERR_NONE)
        return;
    struct buffer *first = control_batch(raft->io->memory, CONTROL_VOTERS, &wire_voters_record,
                                         &voters->record, 0, 0, raft->io->wall_ms);
    append_first(raft, first, voters);
    buffer_release(first);
}

void formation_pump(struct raft *raft)
{
    if (raft->is_log_lost)
        return;
    const int8_t state = state_now(raft);
    if (is_founder(raft) && raft->form_first == NULL && others_are(raft, FORM_EMPTY))
        found(raft);
    if (is_founder(raft) && state == FORM_FIRST && others_are(raft, FORM_FIRST)) {
        io_log(raft->io, LOG_INFO, "the cluster is formed: voters=%u", raft->settings.seeds_count);
        raft->is_formed = true;
        send_to_all(raft, true);
        formation_over(raft);
        election_start(raft, false);
        return;
    }
    if (state != raft->form_told)
        send_to_all(raft, raft->form_told != FORM_UNKNOWN);
    raft->form_told = state;
}

/* ---- What is heard ---- */

/* The record of an earlier attempt, whose founder has lost its folder: nobody can tell whether all
 * had it, so nobody may begin without it. Told when it is news. */
static void warn_if_stuck(struct raft *raft, const struct form_peer *known, struct raft_id from,
                          const struct raft_form *form)
{
    const bool is_other =
        raft->form_first == NULL || form->checksum != checksum_of(raft->form_first);
    const bool is_known = known->state == form->state && raft_id_equal(known->id, from);
    if (is_founder(raft) && form->state == FORM_FIRST && is_other && !is_known)
        io_log(raft->io, LOG_ERROR,
               "the cluster cannot be formed: another first record is on node=%d "
               "mend=\"format the folders of all voters again, none has anything yet\"",
               from.node);
}

void formation_on_form(struct raft *raft, struct raft_id from, const struct raft_form *form)
{
    if (raft->is_log_lost)
        return;
    if (raft->role != RAFT_FORMING) {
        if (!form->is_answer && state_now(raft) == FORM_DONE)
            send_form(raft, from.node, true);
        return;
    }
    if (!form->is_answer)
        send_form(raft, from.node, true);
    if (form->state == FORM_DONE) {
        formation_over(raft);
        return;
    }
    const int32_t index = seed_index(raft, from.node);
    if (index < 0)
        return;
    warn_if_stuck(raft, &raft->form_peers[index], from, form);
    raft->form_peers[index] = (struct form_peer){from, form->state, form->checksum};
    if (is_founder(raft) && form->state == FORM_EMPTY && state_now(raft) == FORM_FIRST)
        send_first(raft, from.node);
}

/* The record names the seeds, and this node with its folder. */
static bool is_first_record(const struct raft *raft, const struct raft_voters *voters)
{
    if (voters->record.voters_count != (int32_t)raft->settings.seeds_count)
        return false;
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        if (seed_index(raft, voters->record.voters[i].voter_id) < 0)
            return false;
    }
    return raft_voters_find(voters, raft->settings.self) != NULL;
}

void formation_on_first(struct raft *raft, struct raft_id from, const struct raft_form_first *first,
                        struct buffer *buffer)
{
    struct span batch;
    struct batch_info info;
    struct raft_voters *voters;
    if (raft->role != RAFT_FORMING || raft->is_log_lost || raft->form_first != NULL ||
        from.node != founder(raft) || first->records.length > RAFT_VOTERS_BYTES_MAX ||
        buffer == NULL)
        return;
    if (batch_next(first->records, first->records.length, BATCH_CHECK_CRC, &batch, &info) !=
            BATCH_FOUND ||
        batch.length != first->records.length || info.base_offset != 0 || info.leader_epoch != 0 ||
        info.last_offset_delta != 0 || voters_read(raft, batch, &voters) != ERR_NONE ||
        voters == NULL)
        return;
    if (!is_first_record(raft, voters)) {
        io_log(raft->io, LOG_ERROR,
               "the nodes disagree about who forms the cluster: founder=%d "
               "mend=\"give every node the same controller.quorum.voters\"",
               from.node);
        raft_voters_free(voters);
        return;
    }
    struct buffer *copy = buffer_new(raft->io->memory, MEMORY_STATE, (uint32_t)batch.length);
    memcpy(copy->data, batch.data, batch.length);
    append_first(raft, copy, voters);
    buffer_release(copy);
}
