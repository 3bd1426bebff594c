/* SPDX-License-Identifier: Apache-2.0 */
/* How a leader goes on with one follower: see enum peer_state. */
#include "core/raft/internal.h"
#include "core/wire/error.h"

struct raft_peer *peer_new(struct raft *raft, struct raft_id id, bool is_voter)
{
    struct raft_peer *peer = memory_new(raft->io->memory, struct raft_peer);
    peer->raft = raft;
    peer->id = id;
    peer->is_voter = is_voter;
    peer->heard_us = raft->io->now_us;
    peer->sent_us = raft->io->now_us;
    list_append(&raft->peers, &peer->place);
    raft->observers_count += !is_voter;
    peer_probe(peer, raft_log_end(raft));
    return peer;
}

static void peer_stop_reading(struct raft_peer *peer)
{
    if (peer->is_reading)
        peer->raft->host->read_cancel(peer->raft->host, &peer->read);
    peer->is_reading = false;
    peer->read_failed = false;
}

void peer_free(struct raft_peer *peer)
{
    struct raft *raft = peer->raft;
    peer_stop_reading(peer);
    raft->observers_count -= !peer->is_voter;
    list_remove(&peer->place);
    memory_give(raft->io->memory, MEMORY_STATE, peer, sizeof(*peer));
}

/* ---- The window ---- */

static void window_clear(struct raft_peer *peer)
{
    peer->in_flight_count = 0;
    peer->in_flight_bytes = 0;
}

static void window_add(struct raft_peer *peer, int64_t end_offset, uint32_t bytes)
{
    const uint32_t at = (peer->in_flight_first + peer->in_flight_count) % RAFT_IN_FLIGHT_MAX;
    peer->in_flight[at] = (struct in_flight){.end_offset = end_offset, .bytes = bytes};
    peer->in_flight_count++;
    peer->in_flight_bytes += bytes;
}

static void window_answered(struct raft_peer *peer, int64_t end_offset)
{
    while (peer->in_flight_count > 0 &&
           peer->in_flight[peer->in_flight_first].end_offset <= end_offset) {
        peer->in_flight_bytes -= peer->in_flight[peer->in_flight_first].bytes;
        peer->in_flight_first = (peer->in_flight_first + 1) % RAFT_IN_FLIGHT_MAX;
        peer->in_flight_count--;
    }
}

static bool window_is_open(const struct raft_peer *peer)
{
    return peer->in_flight_count < RAFT_IN_FLIGHT_MAX &&
           peer->in_flight_bytes < peer->raft->settings.window_bytes;
}

/* ---- Sending ---- */

void peer_probe(struct raft_peer *peer, int64_t next)
{
    struct raft *raft = peer->raft;
    peer_stop_reading(peer);
    window_clear(peer);
    peer->state = PEER_PROBE;
    peer->is_asked = false;
    peer->next = next;
    peer->asked_sequence = raft->sequence + 1;
    if (next < raft->host->log_start(raft->host))
        snapshot_peer_start(peer);
    raft_wake(raft);
}

bool peer_append(struct raft_peer *peer, struct buffer *buffer, struct span records)
{
    struct raft *raft = peer->raft;
    /* One that gets a snapshot hears the leader by what every log agrees to. */
    const bool is_behind =
        peer->state == PEER_SNAPSHOT || peer->next < raft->host->log_start(raft->host);
    const struct raft_message message = {
        .type = RAFT_MESSAGE_APPEND,
        .body.append =
            {
                .term = raft->term,
                .sequence = raft->sequence + 1,
                .offset = is_behind ? 0 : peer->next,
                .previous_epoch =
                    is_behind ? -1 : raft->host->log_epoch_before(raft->host, peer->next),
                .committed = raft->committed,
                .records = records,
            },
    };
    if (!raft->host->send(raft->host, peer->id.node, &message, buffer) && buffer != NULL)
        return false;
    raft->sequence++;
    peer->sent_us = raft->io->now_us;
    peer->committed_sent = raft->committed;
    return true;
}

/* Where the last of some whole batches ends; 0 when they are none. */
static int64_t batches_end(struct span bytes)
{
    int64_t end = 0;
    struct span batch;
    struct batch_info info;
    while (batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, &info) == BATCH_FOUND &&
           batch.length <= bytes.length) {
        end = batch_last_offset(&info) + 1;
        bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
    }
    return bytes.length == 0 ? end : 0;
}

void raft_read_done(struct raft *raft, struct raft_read *read, int error, struct buffer *buffer,
                    struct span bytes, uint64_t snapshot_size)
{
    struct raft_peer *peer = container_of(read, struct raft_peer, read);
    peer->is_reading = false;
    raft_wake(raft);
    if (read->of_snapshot) {
        snapshot_peer_read(peer, error, buffer, bytes, snapshot_size);
        return;
    }
    const int64_t end = error == ERR_NONE && bytes.length > 0 ? batches_end(bytes) : 0;
    if (peer->next < raft->host->log_start(raft->host))
        return; /* trimmed meanwhile: peer_pump() begins a snapshot */
    if (end <= peer->next) {
        peer->read_failed = true;
        return;
    }
    if (!peer_append(peer, buffer, bytes)) {
        peer->is_full = true;
        return;
    }
    window_add(peer, end, (uint32_t)bytes.length);
    peer->next = end;
}

/* The follower's logs are equal up to peer->next: entries leave as far as the window goes. */
static void peer_stream(struct raft_peer *peer)
{
    struct raft *raft = peer->raft;
    while (peer->state == PEER_STREAM && !peer->is_reading && !peer->read_failed &&
           !peer->is_full && window_is_open(peer) && peer->next < raft_log_end(raft)) {
        peer->is_reading = true;
        peer->read = (struct raft_read){
            .offset = peer->next,
            .max_bytes = raft->settings.append_bytes,
        };
        raft->host->read(raft->host, &peer->read);
    }
    if (peer->committed_sent < raft->committed && !peer->is_reading && !peer->is_full)
        peer_append(peer, NULL, SPAN_NULL);
}

void peer_pump(struct raft_peer *peer)
{
    if (peer->state != PEER_SNAPSHOT && peer->next < peer->raft->host->log_start(peer->raft->host))
        peer_probe(peer, peer->next); /* the log was trimmed */
    if (peer->state == PEER_PROBE && !peer->is_asked) {
        peer->is_asked = true;
        peer->asked_us = peer->raft->io->now_us;
        peer_append(peer, NULL, SPAN_NULL);
    }
    if (peer->state == PEER_STREAM)
        peer_stream(peer);
    if (peer->state == PEER_SNAPSHOT)
        snapshot_peer_send(peer);
}

/* ---- Answers ---- */

/* Where the logs part, as far as the follower's answer tells: at the end of the largest epoch that
 * both have (KIP-279). So each answer rules out an epoch at least; one that rules out nothing is
 * answered by all there is. */
static int64_t next_after_refusal(const struct raft_peer *peer,
                                  const struct raft_appended *appended)
{
    struct raft_host *host = peer->raft->host;
    const struct raft_end ours = host->log_epoch_end(host, appended->epoch);
    int64_t next = ours.offset;
    if (ours.epoch == appended->epoch && appended->end_offset < next)
        next = appended->end_offset;
    if (ours.epoch >= 0 && next >= 0 && next < peer->next)
        return next;
    const int64_t start = host->log_start(host);
    return start > 0 ? start - 1 : 0; /* before the start: a snapshot */
}

void peer_refused(struct raft_peer *peer, const struct raft_appended *appended)
{
    if (peer->state != PEER_SNAPSHOT && appended->sequence >= peer->asked_sequence)
        peer_probe(peer, next_after_refusal(peer, appended));
}

void peer_accepted(struct raft_peer *peer, const struct raft_appended *appended)
{
    if (peer->match < appended->durable_end)
        peer->match = appended->durable_end;
    if (peer->match == raft_log_end(peer->raft))
        peer->caught_up_us = peer->raft->io->now_us;
    if (peer->state == PEER_PROBE && appended->end_offset >= peer->next) {
        peer->state = PEER_STREAM;
        peer->asked_sequence = peer->raft->sequence + 1;
    }
    if (peer->state != PEER_STREAM)
        return;
    window_answered(peer, appended->end_offset);
    if (peer->next < appended->end_offset) {
        peer_stop_reading(peer);
        window_clear(peer);
        peer->next = appended->end_offset;
    }
}
