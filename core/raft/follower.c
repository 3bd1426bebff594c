/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following: takes the leader's entries, cuts off what parts from them, and says what is durable.
 *
 *     append ──▶ equal before it? ── no ──▶ refusal: the epoch here, and where it ends (KIP-595)
 *                     │ yes
 *                     ▼
 *               entries that are here already are passed over
 *                     │ one that is here under another epoch: cut ─ durable ─▶ refusal
 *                     ▼
 *               appended ── durable ──▶ acknowledgement
 */
#include "core/base/check.h"
#include "core/raft/internal.h"
#include "core/wire/error.h"

void follower_refuse(struct raft *raft, int64_t sequence, int32_t epoch)
{
    raft->refusal_due = true;
    raft->refusal_sequence = sequence;
    raft->refusal_epoch = epoch;
}

void follower_ask_to_follow(struct raft *raft)
{
    raft_send_known(raft, &(struct raft_message){.type = RAFT_MESSAGE_FOLLOW,
                                                 .body.follow = {.term = raft->term}});
}

void follower_hear(struct raft *raft, struct raft_id from)
{
    if (raft->role == RAFT_PROSPECTIVE || raft->role == RAFT_CANDIDATE)
        raft_become_follower(raft);
    if (raft->leader != from.node) {
        raft->leader = from.node;
        raft->verified = raft->committed;
        raft->sequence_heard = 0;
        raft->ack_due = false;
        raft->refusal_due = false;
        raft->role_dirty = true;
        io_log(raft->io, LOG_INFO, "the quorum has a leader: node=%d term=%d", from.node,
               raft->term);
    }
    raft->heard_us = raft->io->now_us;
    raft->is_heard = true;
    raft_patience_set(raft);
}

/* A leader of an earlier term is told so. */
static void refuse_stale(struct raft *raft, struct raft_id from, const struct raft_append *append)
{
    raft_send(raft, from.node,
              &(struct raft_message){
                  .type = RAFT_MESSAGE_APPENDED,
                  .body.appended = {.term = raft->term, .sequence = append->sequence},
              });
}

static void cut(struct raft *raft, int64_t offset)
{
    raft->is_truncating = true;
    raft->truncate_offset = offset;
    raft->host->log_truncate(raft->host, offset);
}

void raft_log_truncated(struct raft *raft, int error)
{
    raft->is_truncating = false;
    if (error != ERR_NONE) {
        raft_fail(raft, "its log cannot be cut", error);
        return;
    }
    /* A full disk may have taken more than that. */
    const int64_t log_end = raft_log_end(raft);
    const int64_t end = raft->truncate_offset < log_end ? raft->truncate_offset : log_end;
    if (raft->verified > end)
        raft->verified = end;
    voters_cut(raft, end);
    if (raft->leader != RAFT_NOBODY)
        follower_refuse(raft, raft->sequence_heard, raft->term);
    raft_wake(raft);
}

/* The entry is in the log already, up to `next`. */
static bool has_batch(struct raft *raft, int64_t next)
{
    if (next > raft_log_end(raft))
        return false; /* the same entry has the same end: whoever sent that is no leader */
    if (raft->verified < next)
        raft->verified = next;
    return true;
}

/* The log has something else there: it goes, unless it cannot be. */
static void part_from(struct raft *raft, int64_t offset)
{
    if (offset >= raft->committed) {
        cut(raft, offset);
        return;
    }
    io_log(raft->io, LOG_ERROR,
           "the quorum's leader contradicts what is committed: leader=%d term=%d offset=%lld "
           "committed=%lld",
           raft->leader, raft->term, (long long)offset, (long long)raft->committed);
}

static int append_batch(struct raft *raft, struct buffer *buffer, struct span batch)
{
    struct raft_voters *voters;
    int error = voters_read(raft, batch, &voters);
    if (error != ERR_NONE)
        return error;
    error = raft->host->log_append(raft->host, buffer, buffer->data + (batch.data - buffer->data),
                                   (uint32_t)batch.length);
    if (error != ERR_NONE)
        raft_voters_free(voters);
    else if (voters != NULL)
        voters_push(raft, voters);
    return error;
}

/* Takes one batch that follows what the log and the leader's have in common. False when the rest of
 * the message has to be left. */
static bool take_batch(struct raft *raft, struct buffer *buffer, struct span batch,
                       const struct batch_info *info)
{
    const int64_t end = raft_log_end(raft);
    const int64_t next = batch_last_offset(info) + 1;
    if (info->base_offset < end) {
        if (next <= raft->committed ||
            (info->base_offset >= raft->host->log_start(raft->host) &&
             raft->host->log_epoch_before(raft->host, info->base_offset + 1) == info->leader_epoch))
            return has_batch(raft, next);
        part_from(raft, info->base_offset);
        return false;
    }
    const int error = append_batch(raft, buffer, batch);
    if (error != ERR_NONE) {
        io_log(raft->io, LOG_WARN,
               "an entry of the quorum's leader is not taken: offset=%lld error=%s",
               (long long)info->base_offset, error_name(error));
        return false;
    }
    raft->verified = next;
    return true;
}

/* Takes what of the records is whole, in order, and of no later term. */
static void take_records(struct raft *raft, const struct raft_append *append, struct buffer *buffer)
{
    struct span rest = append->records;
    int64_t offset = append->offset;
    int32_t epoch = append->previous_epoch;
    struct span batch;
    struct batch_info info;
    while (rest.length > 0) {
        if (batch_next(rest, rest.length, BATCH_CHECK_CRC, &batch, &info) != BATCH_FOUND ||
            batch.length > RAFT_BATCH_BYTES_MAX || info.base_offset != offset ||
            info.leader_epoch < epoch || info.leader_epoch > append->term) {
            io_log(raft->io, LOG_WARN,
                   "entries of the quorum's leader are damaged: leader=%d offset=%lld",
                   raft->leader, (long long)offset);
            return;
        }
        if (!take_batch(raft, buffer, batch, &info))
            return;
        offset = batch_last_offset(&info) + 1;
        epoch = info.leader_epoch;
        rest = span_of(rest.data + batch.length, rest.length - batch.length);
    }
}

/* The log has the entry that the leader names, or has nothing else there because that is
 * committed. */
static bool is_equal_before(const struct raft *raft, const struct raft_append *append)
{
    if (append->offset > raft_log_end(raft))
        return false;
    return append->offset <= raft->committed ||
           raft->host->log_epoch_before(raft->host, append->offset) == append->previous_epoch;
}

void follower_on_append(struct raft *raft, struct raft_id from, const struct raft_append *append,
                        struct buffer *buffer)
{
    if (append->offset < 0 || append->records.length > RAFT_APPEND_BYTES_MAX)
        return;
    if (append->term < raft->term) {
        refuse_stale(raft, from, append);
        return;
    }
    raft_adopt_term(raft, append->term);
    if (raft->role == RAFT_LEADER) {
        io_log(raft->io, LOG_ERROR, "two leaders in one term: nodes=%d,%d term=%d",
               raft->settings.self.node, from.node, raft->term);
        return;
    }
    follower_hear(raft, from);
    if (raft->sequence_heard < append->sequence)
        raft->sequence_heard = append->sequence;
    if (!raft_is_log_ready(raft))
        return;
    if (!is_equal_before(raft, append)) {
        follower_refuse(raft, append->sequence, append->previous_epoch);
        return;
    }
    if (raft->refusal_sequence < append->sequence)
        raft->refusal_due = false; /* an earlier message was lost, and that is mended */
    if (raft->verified < append->offset)
        raft->verified = append->offset;
    take_records(raft, append, buffer);
    const int64_t committed =
        append->committed < raft->verified ? append->committed : raft->verified;
    if (raft->committed < committed)
        raft->committed = committed;
    raft->ack_due = true;
}

/* ---- What leaves at the end of the turn ---- */

static void send_refusal(struct raft *raft)
{
    const struct raft_end end = raft->host->log_epoch_end(raft->host, raft->refusal_epoch);
    raft->refusal_due = false;
    raft->ack_due = false;
    raft_send(raft, raft->leader,
              &(struct raft_message){
                  .type = RAFT_MESSAGE_APPENDED,
                  .body.appended = {.term = raft->term,
                                    .sequence = raft->refusal_sequence,
                                    .epoch = end.epoch,
                                    .end_offset = end.offset},
              });
}

static void send_ack(struct raft *raft)
{
    const int64_t log_end = raft_log_end(raft);
    const int64_t end = raft->verified < log_end ? raft->verified : log_end;
    const int64_t durable = raft->host->log_durable_end(raft->host);
    raft->ack_due = false;
    raft_send(raft, raft->leader,
              &(struct raft_message){
                  .type = RAFT_MESSAGE_APPENDED,
                  .body.appended = {.term = raft->term,
                                    .sequence = raft->sequence_heard,
                                    .accepted = true,
                                    .durable_end = durable < end ? durable : end,
                                    .end_offset = end},
              });
}

static void send_grant(struct raft *raft)
{
    raft->grant_due = false;
    raft_send(raft, raft->voted.node,
              &(struct raft_message){
                  .type = RAFT_MESSAGE_VOTED,
                  .body.voted = {.term = raft->term,
                                 .asked_term = raft->term,
                                 .granted = true,
                                 .leader_id = raft->leader},
              });
}

void follower_pump(struct raft *raft)
{
    if (!raft_is_durable(raft))
        return; /* what is said in a term binds: see raft_persisted() */
    if (raft->grant_due)
        send_grant(raft);
    if (raft->leader == RAFT_NOBODY || raft->role == RAFT_LEADER || !raft_is_log_ready(raft))
        return;
    snapshot_pump(raft);
    if (raft->is_installing)
        return;
    if (raft->refusal_due)
        send_refusal(raft);
    else if (raft->ack_due)
        send_ack(raft);
}
