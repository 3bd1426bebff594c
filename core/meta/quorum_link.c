/* SPDX-License-Identifier: Apache-2.0 */
/* The quorum's messages on the links between nodes. */
#include "core/meta/quorum_internal.h"
#include "core/peer/peers.h"
#include "core/records/batch.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

/* Types of frames: Raft's own, then ours. */
#define TYPE_RAFT_FIRST PEER_MESSAGE_FIRST
#define TYPE_PROPOSE    (PEER_MESSAGE_FIRST + 32)

/* A proposal that was lost on its way is sent again; one that arrived twice is passed over. */
#define FORWARD_AGAIN_US ((uint64_t)500 * 1000)

/* The field of a message that lies in a buffer of its own; NULL when it has none. */
static struct span *attached_of(struct raft_message *message)
{
    switch (message->type) {
    case RAFT_MESSAGE_APPEND:
        return &message->body.append.records;
    case RAFT_MESSAGE_SNAPSHOT:
        return &message->body.snapshot.bytes;
    case RAFT_MESSAGE_FORM_FIRST:
        return &message->body.form_first.records;
    default:
        return NULL;
    }
}

/* Takes the bytes out of a message that is sent from where they lie. */
static struct span detach(struct span *field)
{
    const struct span bytes = *field;
    field->data = NULL;
    return bytes;
}

bool quorum_send(struct raft_host *host, int32_t node, const struct raft_message *message,
                 struct buffer *buffer)
{
    struct quorum *quorum = quorum_of_host(host);
    if (quorum->peers == NULL)
        return true;
    struct raft_message copy = *message;
    struct span *field = buffer == NULL ? NULL : attached_of(&copy);
    const struct span bytes = field == NULL ? SPAN_NULL : detach(field);
    return peers_send(quorum->peers, node, (int16_t)(TYPE_RAFT_FIRST + message->type),
                      raft_message_schema((int32_t)message->type), &copy.body, buffer,
                      bytes) != ERR_LIMIT;
}

void quorum_node_known(struct raft_host *host, int32_t node, struct span name, uint16_t port)
{
    struct quorum *quorum = quorum_of_host(host);
    if (quorum->peers != NULL)
        peers_know(quorum->peers, node, name, port);
}

static bool is_seed(const struct quorum *quorum, int32_t node)
{
    for (uint32_t i = 0; i < quorum->seeds_count; i++) {
        if (quorum->seeds[i] == node)
            return true;
    }
    return false;
}

void quorum_dial_voters(struct quorum *quorum)
{
    const struct raft_voters *voters = raft_voters(quorum->raft);
    for (int32_t i = 0; voters != NULL && i < voters->record.voters_count; i++) {
        const struct voters_record_voter *voter = &voters->record.voters[i];
        if (voter->endpoints_count > 0 && !is_seed(quorum, voter->voter_id))
            quorum_node_known(&quorum->host, voter->voter_id, voter->endpoints[0].host,
                              voter->endpoints[0].port);
    }
}

void quorum_know(struct quorum *quorum, int32_t node, struct span host, uint16_t port)
{
    const struct raft_voters *voters = raft_voters(quorum->raft);
    if (voters == NULL || raft_voters_find_node(voters, node) == NULL)
        quorum_node_known(&quorum->host, node, host, port);
}

int quorum_add_voter(struct quorum *quorum, const struct voters_record_voter *voter,
                     int64_t *ret_end)
{
    return quorum->has_failed ? ERR_NOT_CONTROLLER : raft_add_voter(quorum->raft, voter, ret_end);
}

int quorum_remove_voter(struct quorum *quorum, struct raft_id id, int64_t *ret_end)
{
    return quorum->has_failed ? ERR_NOT_CONTROLLER : raft_remove_voter(quorum->raft, id, ret_end);
}

/* It takes messages, as far as anybody can know. */
static bool is_there(const struct quorum *quorum, int32_t node)
{
    struct peer_status status;
    return quorum->peers != NULL && peers_status(quorum->peers, node, &status) && status.is_up &&
           !status.is_silent;
}

bool quorum_reaches_majority(const struct quorum *quorum)
{
    const struct raft_voters *voters = raft_voters(quorum->raft);
    int32_t there = 0;
    if (voters == NULL)
        return false;
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        const struct raft_id id = raft_voter_id(&voters->record.voters[i]);
        there += raft_id_equal(id, quorum->self) || is_there(quorum, id.node);
    }
    return there > voters->record.voters_count / 2;
}

int quorum_hand_over(struct quorum *quorum)
{
    return quorum->has_failed ? ERR_NOT_CONTROLLER : raft_transfer(quorum->raft, RAFT_NOBODY);
}

static void forward(struct timer *timer)
{
    struct quorum *quorum = container_of(timer, struct quorum, forward_timer);
    const struct raft_status status = raft_status(quorum->raft);
    const struct buffer *batch = quorum->forwarded;
    const struct quorum_propose propose = {
        .term = quorum->proposed_term,
        .base_offset = quorum->proposed.base_offset,
        .records = {NULL, batch->capacity},
    };
    if (quorum->peers != NULL && status.leader != RAFT_NOBODY && status.term == propose.term)
        peers_send(quorum->peers, status.leader, TYPE_PROPOSE, &wire_quorum_propose, &propose,
                   quorum->forwarded, span_of(batch->data, batch->capacity));
    timer_set(&quorum->io->timers, timer, quorum->io->now_us + FORWARD_AGAIN_US, forward);
}

void quorum_forward(struct quorum *quorum, struct buffer *batch)
{
    quorum->forwarded = buffer_hold(batch);
    forward(&quorum->forward_timer);
}

void quorum_forget(struct quorum *quorum)
{
    wal_watch(quorum->wal, NULL);
    timer_cancel(&quorum->io->timers, &quorum->forward_timer);
    buffer_release(quorum->forwarded);
    quorum->forwarded = NULL;
}

/* Another node judged a proposal by the very image that this one has, or it is passed over. What it
 * sends is committed to every node's log, so that records which nobody can read stop here. */
static const char *on_propose(struct quorum *quorum, const struct peer_message *message)
{
    struct quorum_propose propose;
    struct span batch;
    struct batch_info info;
    if (wire_decode(&wire_quorum_propose, message->version, message->body, &quorum->arena,
                    &propose) != ERR_NONE)
        return "a proposal is malformed";
    if (batch_next(propose.records, propose.records.length, BATCH_CHECK_CRC, &batch, &info) !=
            BATCH_FOUND ||
        batch.length != propose.records.length || batch.length > RAFT_BATCH_BYTES_MAX ||
        meta_batch_check(batch, &quorum->arena) != ERR_NONE)
        return "a proposal is no batch of metadata records";
    if (!quorum_takes_proposals(quorum) || raft_status(quorum->raft).term != propose.term)
        return NULL;
    uint8_t *bytes = message->buffer->data + (batch.data - message->buffer->data);
    (void)raft_propose(quorum->raft, message->buffer, bytes, (uint32_t)batch.length,
                       propose.base_offset);
    return NULL;
}

const char *quorum_receive(struct quorum *quorum, const struct peer_message *message)
{
    const char *why = NULL;
    arena_reset(&quorum->arena);
    if (message->type == TYPE_PROPOSE)
        return on_propose(quorum, message);
    const int32_t type = message->type - TYPE_RAFT_FIRST;
    const struct wire_schema *schema = raft_message_schema(type);
    struct raft_message raft_message = {.type = (enum raft_message_type)type};
    if (schema == NULL)
        why = "its message has an unknown type";
    else if (wire_decode(schema, message->version, message->body, &quorum->arena,
                         &raft_message.body) != ERR_NONE)
        why = "its message is malformed";
    else
        raft_receive(quorum->raft, (struct raft_id){message->node_id, message->directory_id},
                     &raft_message, message->buffer);
    return why;
}

void quorum_peer_up(struct quorum *quorum, int32_t node_id)
{
    raft_peer_up(quorum->raft, node_id);
}

void quorum_peer_died(struct quorum *quorum, int32_t node_id)
{
    raft_peer_dead(quorum->raft, node_id);
}

void quorum_peer_drained(struct quorum *quorum, int32_t node_id)
{
    raft_peer_drained(quorum->raft, node_id);
}
