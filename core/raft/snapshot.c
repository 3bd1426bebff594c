/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A follower that ends before the leader's log begins gets a snapshot, piece by piece (Raft 7). Who
 * begins anew, by a crash or because another snapshot comes, says which piece it wants.
 */
#include "core/raft/internal.h"
#include "core/wire/error.h"

/* ---- The leader ---- */

void snapshot_peer_start(struct raft_peer *peer)
{
    peer->state = PEER_SNAPSHOT;
    peer->snapshot_position = 0;
}

void snapshot_peer_send(struct raft_peer *peer)
{
    struct raft *raft = peer->raft;
    if (peer->is_asked || peer->is_reading || peer->read_failed || peer->is_full)
        return;
    if (peer->snapshot_position == 0 && !raft->host->snapshot_newest(raft->host, &peer->snapshot)) {
        peer->read_failed = true;
        return;
    }
    peer->is_reading = true;
    peer->read = (struct raft_read){
        .of_snapshot = true,
        .snapshot = peer->snapshot,
        .position = peer->snapshot_position,
        .max_bytes = raft->settings.snapshot_chunk_bytes,
    };
    raft->host->read(raft->host, &peer->read);
}

void snapshot_peer_read(struct raft_peer *peer, int error, struct buffer *buffer, struct span bytes,
                        uint64_t size)
{
    struct raft *raft = peer->raft;
    if (error != ERR_NONE) { /* it is gone, perhaps: the newest one then */
        peer->snapshot_position = 0;
        peer->read_failed = true;
        return;
    }
    const struct raft_message message = {
        .type = RAFT_MESSAGE_SNAPSHOT,
        .body.snapshot = {.term = raft->term,
                          .sequence = raft->sequence + 1,
                          .end_offset = peer->snapshot.offset,
                          .last_epoch = peer->snapshot.epoch,
                          .size = (int64_t)size,
                          .position = (int64_t)peer->snapshot_position,
                          .bytes = bytes},
    };
    if (!raft->host->send(raft->host, peer->id.node, &message, buffer)) {
        peer->is_full = true;
        return;
    }
    raft->sequence++;
    peer->is_asked = true;
    peer->asked_sequence = raft->sequence;
    peer->sent_us = peer->asked_us = raft->io->now_us;
}

void snapshot_on_snapped(struct raft *raft, struct raft_id from, const struct raft_snapped *snapped)
{
    if (raft->role != RAFT_LEADER || snapped->term != raft->term)
        return;
    struct raft_peer *peer = leader_peer(raft, from);
    if (peer == NULL || snapped->sequence > raft->sequence)
        return;
    peer->heard_us = raft->io->now_us;
    if (peer->heard_sequence < snapped->sequence)
        peer->heard_sequence = snapped->sequence;
    if (peer->state != PEER_SNAPSHOT || peer->is_reading ||
        snapped->sequence < peer->asked_sequence || snapped->end_offset != peer->snapshot.offset ||
        snapped->last_epoch != peer->snapshot.epoch || snapped->position < 0)
        return;
    if (snapped->installed) {
        peer_probe(peer, snapped->end_offset);
        return;
    }
    peer->snapshot_position = (uint64_t)snapped->position;
    peer->is_asked = false;
}

/* ---- The follower ---- */

static bool is_fit(const struct raft_snapshot *snapshot)
{
    return snapshot->size > 0 && snapshot->size <= RAFT_SNAPSHOT_BYTES_MAX &&
           snapshot->position >= 0 && snapshot->position <= snapshot->size &&
           snapshot->bytes.length <= (uint64_t)(snapshot->size - snapshot->position) &&
           snapshot->end_offset > 0 && snapshot->last_epoch >= 0 &&
           snapshot->last_epoch <= snapshot->term;
}

/* The log has the snapshot's last entry, and so all before it. */
static bool has_all(const struct raft *raft, struct raft_end end)
{
    if (end.offset > raft_log_end(raft))
        return false;
    return end.offset <= raft->committed ||
           raft->host->log_epoch_before(raft->host, end.offset) == end.epoch;
}

/* What a snapshot holds is committed, whoever has it. */
static void commit_snapshot(struct raft *raft, struct raft_end end)
{
    if (raft->verified < end.offset)
        raft->verified = end.offset;
    if (raft->committed < end.offset)
        raft->committed = end.offset;
    raft->snapped = end;
    raft->is_receiving = false;
    raft->is_snapped = true;
    raft->snapped_due = true;
}

static void take_piece(struct raft *raft, const struct raft_snapshot *snapshot,
                       struct buffer *buffer)
{
    const struct raft_end end = {snapshot->end_offset, snapshot->last_epoch};
    if (raft->is_snapshot_writing)
        return;
    if (!raft->is_receiving || raft->snapshot.offset != end.offset ||
        raft->snapshot.epoch != end.epoch || raft->snapshot_size != (uint64_t)snapshot->size) {
        raft->is_receiving = true;
        raft->snapshot = end;
        raft->snapshot_position = 0;
        raft->snapshot_size = (uint64_t)snapshot->size;
    }
    if ((uint64_t)snapshot->position != raft->snapshot_position || snapshot->bytes.length == 0) {
        raft->snapped_due = true;
        return;
    }
    raft->is_snapshot_writing = true;
    raft->snapshot_piece = (uint32_t)snapshot->bytes.length;
    raft->host->snapshot_write(raft->host, end, raft->snapshot_position, snapshot->bytes, buffer);
}

void snapshot_on_snapshot(struct raft *raft, struct raft_id from,
                          const struct raft_snapshot *snapshot, struct buffer *buffer)
{
    if (!is_fit(snapshot))
        return;
    if (snapshot->term < raft->term) {
        raft_send(raft, from.node,
                  &(struct raft_message){.type = RAFT_MESSAGE_SNAPPED,
                                         .body.snapped = {.term = raft->term}});
        return;
    }
    raft_adopt_term(raft, snapshot->term);
    if (raft->role == RAFT_LEADER)
        return;
    follower_hear(raft, from);
    if (raft->sequence_heard < snapshot->sequence)
        raft->sequence_heard = snapshot->sequence;
    if (!raft_is_log_ready(raft))
        return;
    raft->snapped = (struct raft_end){snapshot->end_offset, snapshot->last_epoch};
    raft->is_snapped = false;
    if (has_all(raft, raft->snapped))
        commit_snapshot(raft, raft->snapped);
    else
        take_piece(raft, snapshot, buffer);
}

void raft_snapshot_written(struct raft *raft, int error)
{
    raft->is_snapshot_writing = false;
    raft_wake(raft);
    if (!raft->is_receiving)
        return;
    if (error != ERR_NONE) {
        io_log(raft->io, LOG_WARN, "a snapshot of the quorum's leader is not taken: error=%s",
               error_name(error));
        raft->is_receiving = false; /* it comes again, from its beginning */
        return;
    }
    raft->snapshot_position += raft->snapshot_piece;
    raft->snapped_due = true;
}

/* All of it is there, and the log may be replaced; unless the log has come as far meanwhile, from
 * another leader, and further: what it has told to be durable here may count already. */
static void install_if_whole(struct raft *raft)
{
    if (!raft->is_receiving || raft->is_snapshot_writing ||
        raft->snapshot_position < raft->snapshot_size)
        return;
    raft->is_receiving = false;
    if (has_all(raft, raft->snapshot)) {
        commit_snapshot(raft, raft->snapshot);
        return;
    }
    raft->is_installing = true;
    raft->host->snapshot_install(raft->host, raft->snapshot);
}

void raft_snapshot_installed(struct raft *raft, int error, struct span value)
{
    struct raft_voters *voters = NULL;
    const int64_t offset = raft->snapshot.offset;
    raft->is_installing = false;
    raft_wake(raft);
    if (error == ERR_KAFKA_STORAGE_ERROR) {
        raft_fail(raft, "a snapshot cannot be installed", error);
        return;
    }
    if (error == ERR_NONE && !span_is_null(value))
        error = raft_voters_decode(raft->io->memory, offset - 1, value, &voters);
    if (error != ERR_NONE) {
        io_log(raft->io, LOG_ERROR, "a snapshot of the quorum's leader is damaged: error=%s",
               error_name(error));
        return;
    }
    if (voters != NULL)
        voters_replace(raft, voters);
    else
        voters_cut(raft, offset);
    if (raft->committed_told < offset)
        raft->committed_told = offset;
    if (raft->applied < offset)
        raft->applied = offset;
    commit_snapshot(raft, raft->snapshot);
}

void snapshot_pump(struct raft *raft)
{
    install_if_whole(raft);
    if (!raft->snapped_due || raft->is_snapshot_writing)
        return;
    raft->snapped_due = false;
    const bool is_current = raft->is_snapped || raft->is_receiving;
    if (!is_current)
        return;
    const struct raft_end end = raft->is_snapped ? raft->snapped : raft->snapshot;
    raft_send(raft, raft->leader,
              &(struct raft_message){
                  .type = RAFT_MESSAGE_SNAPPED,
                  .body.snapped = {.term = raft->term,
                                   .sequence = raft->sequence_heard,
                                   .end_offset = end.offset,
                                   .last_epoch = end.epoch,
                                   .position = (int64_t)raft->snapshot_position,
                                   .installed = raft->is_snapped},
              });
}
