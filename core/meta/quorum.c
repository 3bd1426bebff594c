/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/quorum.h"

#include "core/base/check.h"
#include "core/meta/quorum_internal.h"
#include "core/records/batch.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

/* Of entries in one message, and of those on their way to one follower. */
#define QUORUM_APPEND_BYTES ((uint32_t)1024 * 1024)
#define QUORUM_WINDOW_BYTES (4 * QUORUM_APPEND_BYTES)

/* What decoding a message may take beyond its bytes, and a record of voters. */
#define QUORUM_ARENA_BYTES_MAX ((size_t)256 * 1024)

static struct quorum *quorum_of_wal(struct wal_observer *observer)
{
    return container_of(observer, struct quorum, wal_observer);
}

static void boot_end(struct quorum *quorum, int error)
{
    struct log_waiter *waiter = quorum->boot_waiter;
    quorum->boot_waiter = NULL;
    if (waiter != NULL)
        waiter->wake(waiter, error);
}

/* True when this node has a leader, or is it, and has applied what it knows to be committed. */
static bool is_up_to_date(const struct quorum *quorum, const struct raft_status *status)
{
    return status->is_established ||
           ((status->role == RAFT_FOLLOWER || status->role == RAFT_OBSERVER) &&
            status->leader != RAFT_NOBODY && status->committed > 0 &&
            quorum->image->end_offset == status->committed);
}

static void quorum_changed(struct quorum *quorum)
{
    const struct raft_status status = raft_status(quorum->raft);
    if (status.is_established)
        quorum->losses = 0;
    if (quorum->has_started && !quorum->has_failed && is_up_to_date(quorum, &status))
        boot_end(quorum, ERR_NONE);
    quorum->observer->changed(quorum->observer);
}

void quorum_fail(struct quorum *quorum, int error)
{
    if (quorum->has_failed)
        return;
    quorum->has_failed = true;
    raft_stop(quorum->raft);
    boot_end(quorum, error);
    quorum->observer->changed(quorum->observer);
}

/* ---- What raft asks for. ---- */

static int64_t host_log_start(struct raft_host *host)
{
    return log_start(wal_log(quorum_of_host(host)->wal));
}

static int64_t host_log_end(struct raft_host *host)
{
    return log_end(wal_log(quorum_of_host(host)->wal));
}

static int64_t host_log_durable_end(struct raft_host *host)
{
    return log_durable_end(wal_log(quorum_of_host(host)->wal));
}

static int32_t host_log_epoch_before(struct raft_host *host, int64_t offset)
{
    return wal_epoch_before(quorum_of_host(host)->wal, offset);
}

static int host_log_append(struct raft_host *host, struct buffer *buffer, uint8_t *batch,
                           uint32_t length)
{
    return wal_append(quorum_of_host(host)->wal, buffer, batch, length);
}

static struct raft_end host_log_epoch_end(struct raft_host *host, int32_t epoch)
{
    const struct log *log = wal_log(quorum_of_host(host)->wal);
    struct raft_end end;
    log_epoch_end(log, -1, epoch, &end.epoch, &end.offset);
    if (end.epoch < 0)
        end.offset = log_start(log);
    return end;
}

static void host_log_truncate(struct raft_host *host, int64_t offset)
{
    wal_truncate(quorum_of_host(host)->wal, offset);
}

static void host_read(struct raft_host *host, struct raft_read *read)
{
    quorum_read_start(&quorum_of_host(host)->reads, read);
}

static void host_read_cancel(struct raft_host *host, struct raft_read *read)
{
    (void)host;
    quorum_read_cancel(read);
}

static bool host_snapshot_newest(struct raft_host *host, struct raft_end *ret_end)
{
    struct snapshot_id id;
    if (!wal_newest_snapshot(quorum_of_host(host)->wal, &id))
        return false;
    *ret_end = (struct raft_end){id.offset, id.epoch};
    return true;
}

static void host_committed(struct raft_host *host, int64_t offset)
{
    wal_commit(quorum_of_host(host)->wal, offset);
}

static void host_role_changed(struct raft_host *host)
{
    quorum_changed(quorum_of_host(host));
}

static void host_voters_changed(struct raft_host *host)
{
    quorum_dial_voters(quorum_of_host(host));
    quorum_changed(quorum_of_host(host));
}

/* ---- What becomes of the WAL. ---- */

static int wal_has_snapshot(struct wal_observer *observer, int64_t offset, struct span voters)
{
    return span_is_null(voters)
               ? ERR_NONE
               : raft_boot_voters(quorum_of_wal(observer)->raft, offset - 1, voters);
}

static int wal_has_batch(struct wal_observer *observer, struct span batch)
{
    return raft_boot_batch(quorum_of_wal(observer)->raft, batch);
}

static void wal_is_durable(struct wal_observer *observer)
{
    struct quorum *quorum = quorum_of_wal(observer);
    raft_log_changed(quorum->raft);
    /* What was lost after it had been applied is here again, and is not applied once more. */
    if (log_end(wal_log(quorum->wal)) == quorum->image->end_offset)
        quorum_changed(quorum);
}

static void wal_was_applied(struct wal_observer *observer)
{
    struct quorum *quorum = quorum_of_wal(observer);
    raft_applied(quorum->raft, quorum->image->end_offset);
    quorum_changed(quorum);
}

static void wal_is_lost(struct wal_observer *observer)
{
    struct quorum *quorum = quorum_of_wal(observer);
    quorum->losses++;
    raft_log_lost(quorum->raft);
    quorum_changed(quorum);
}

static void wal_is_found(struct wal_observer *observer)
{
    struct quorum *quorum = quorum_of_wal(observer);
    raft_log_ready(quorum->raft);
    quorum_changed(quorum);
}

static void wal_was_cut(struct wal_observer *observer)
{
    raft_log_truncated(quorum_of_wal(observer)->raft, ERR_NONE);
}

static void wal_was_installed(struct wal_observer *observer, struct span voters)
{
    struct quorum *quorum = quorum_of_wal(observer);
    raft_snapshot_installed(quorum->raft, ERR_NONE, voters);
    raft_applied(quorum->raft, quorum->image->end_offset);
    quorum_changed(quorum);
}

/* Whoever is not the only voter may have been sent a snapshot, also by the only one. */
static bool wal_may_begin_anew(struct wal_observer *observer)
{
    const struct quorum *quorum = quorum_of_wal(observer);
    const struct raft_voters *voters = raft_voters(quorum->raft);
    return voters != NULL &&
           (voters->record.voters_count > 1 || raft_voters_find(voters, quorum->self) == NULL);
}

static void wal_has_failed(struct wal_observer *observer)
{
    quorum_fail(quorum_of_wal(observer), ERR_KAFKA_STORAGE_ERROR);
}

static struct span wal_wants_voters(struct wal_observer *observer)
{
    struct quorum *quorum = quorum_of_wal(observer);
    const struct raft_voters *voters = raft_voters_at(quorum->raft, quorum->image->end_offset);
    arena_reset(&quorum->arena);
    if (voters == NULL || voters->offset == RAFT_VOTERS_SEEDED)
        return SPAN_NULL;
    const size_t size = wire_size(&wire_voters_record, 0, &voters->record);
    uint8_t *value = arena_take(&quorum->arena, size);
    CHECK(value != NULL); /* it came out of a record of that size */
    struct wire_writer writer = {.data = value, .capacity = size};
    wire_encode(&wire_voters_record, 0, &voters->record, &writer);
    return span_of(value, size);
}

/* ---- Start and end. ---- */

static void reads_are_idle(struct quorum_reads *reads)
{
    quorum_close_if_idle(container_of(reads, struct quorum, reads));
}

/* The log says that this directory is no voter, or not the only one; nobody would ever answer. */
static void fail_without_others(struct quorum *quorum)
{
    const struct raft_voters *voters = raft_voters(quorum->raft);
    io_log(quorum->io, LOG_ERROR,
           "a single node cannot go on with the metadata log of a quorum: folder=" WAL_LOG_NAME
           " voters=%u mend=\"name the others in controller.quorum.voters; if there are none, "
           "give this node the meta.properties that its log was written under\"",
           voters == NULL ? 0 : voters->record.voters_count);
    quorum_fail(quorum, ERR_INCONSISTENT_VOTER_SET);
}

static void state_done(struct quorum_state *state, int error)
{
    struct quorum *quorum = container_of(state, struct quorum, state);
    if (quorum->is_persisting) {
        quorum_persist_done(quorum, error);
    } else if (error != ERR_NONE) {
        quorum_fail(quorum, error);
    } else if (!quorum->has_started && quorum->close_waiter == NULL) {
        if (state->has_vote)
            raft_boot_vote(quorum->raft, &state->vote);
        quorum->has_started = true;
        raft_start(quorum->raft, quorum->image->end_offset);
        if (quorum->peers == NULL && !quorum_is_alone(quorum))
            fail_without_others(quorum);
    }
    quorum_close_if_idle(quorum);
}

static void wal_booted(struct log_waiter *waiter, int error)
{
    struct quorum *quorum = container_of(waiter, struct quorum, wal_waiter);
    if (error != ERR_NONE)
        quorum_fail(quorum, error);
    else if (quorum->close_waiter == NULL)
        quorum_state_load(&quorum->state);
}

struct quorum *quorum_new(struct io *io, const struct quorum_options *options,
                          struct quorum_observer *observer)
{
    struct quorum *quorum = memory_new(io->memory, struct quorum);
    quorum->io = io;
    quorum->image = options->image;
    quorum->self = options->self;
    quorum->observer = observer;
    quorum->wal_observer = (struct wal_observer){
        .snapshot = wal_has_snapshot,
        .batch = wal_has_batch,
        .durable = wal_is_durable,
        .applied = wal_was_applied,
        .lost = wal_is_lost,
        .found = wal_is_found,
        .failed = wal_has_failed,
        .truncated = wal_was_cut,
        .installed = wal_was_installed,
        .may_begin_anew = wal_may_begin_anew,
        .voters = wal_wants_voters,
    };
    quorum->host = (struct raft_host){
        .send = quorum_send,
        .persist = quorum_persist,
        .log_start = host_log_start,
        .log_end = host_log_end,
        .log_durable_end = host_log_durable_end,
        .log_epoch_before = host_log_epoch_before,
        .log_epoch_end = host_log_epoch_end,
        .log_append = host_log_append,
        .log_truncate = host_log_truncate,
        .read = host_read,
        .read_cancel = host_read_cancel,
        .snapshot_newest = host_snapshot_newest,
        .snapshot_write = quorum_snapshot_write,
        .snapshot_install = quorum_snapshot_install,
        .committed = host_committed,
        .role_changed = host_role_changed,
        .voters_changed = host_voters_changed,
        .node_known = quorum_node_known,
    };
    quorum->state = (struct quorum_state){
        .io = io,
        .folder = folder_number(options->folder),
        .directory = options->self.directory,
        .done = state_done,
    };
    for (uint32_t i = 0; i < options->seeds_count; i++)
        quorum->seeds[quorum->seeds_count++] = options->seeds[i].node;
    quorum->peers = options->peers;
    quorum_snapshot_init(quorum);
    quorum->wal_waiter.wake = wal_booted;
    arena_init(&quorum->arena, io->memory, MEMORY_STATE, QUORUM_ARENA_BYTES_MAX);
    quorum->wal = wal_new(io, options->folder, options->codecs, options->snapshot_bytes,
                          options->image, &quorum->wal_observer);
    const struct raft_settings settings = {
        .self = options->self,
        .seeds = options->seeds,
        .seeds_count = options->seeds_count,
        .election_timeout_ms = options->election_timeout_ms,
        .election_backoff_max_ms = options->election_timeout_ms,
        .fetch_timeout_ms = options->fetch_timeout_ms,
        .heartbeat_ms = options->heartbeat_ms,
        .append_bytes = QUORUM_APPEND_BYTES,
        .window_bytes = QUORUM_WINDOW_BYTES,
        .snapshot_chunk_bytes = QUORUM_APPEND_BYTES,
    };
    quorum->raft = raft_new(io, &settings, &quorum->host);
    quorum->reads = (struct quorum_reads){
        .io = io,
        .wal = quorum->wal,
        .raft = quorum->raft,
        .folder = folder_number(options->folder),
        .idle = reads_are_idle,
    };
    list_init(&quorum->reads.reads);
    return quorum;
}

void quorum_boot(struct quorum *quorum, struct log_waiter *waiter)
{
    quorum->boot_waiter = waiter;
    wal_boot(quorum->wal, &quorum->wal_waiter);
}

/* ---- Proposals. ---- */

bool quorum_takes_proposals(const struct quorum *quorum)
{
    if (!quorum->has_started || quorum->has_failed || wal_state(quorum->wal) != WAL_READY ||
        log_end(wal_log(quorum->wal)) != quorum->image->end_offset)
        return false;
    const struct raft_status status = raft_status(quorum->raft);
    return status.role == RAFT_LEADER ? status.is_established : is_up_to_date(quorum, &status);
}

bool quorum_leads(const struct quorum *quorum)
{
    return raft_status(quorum->raft).role == RAFT_LEADER;
}

int quorum_barrier(struct quorum *quorum, struct raft_barrier *barrier)
{
    return quorum->has_started && !quorum->has_failed ? raft_barrier(quorum->raft, barrier)
                                                      : ERR_NOT_CONTROLLER;
}

int64_t quorum_log_end(const struct quorum *quorum)
{
    const struct log *log = wal_log(quorum->wal);
    return log == NULL ? 0 : log_end(log);
}

struct raft_status quorum_status(const struct quorum *quorum)
{
    return raft_status(quorum->raft);
}

bool quorum_replica(const struct quorum *quorum, uint32_t number, struct raft_replica *ret_replica)
{
    return raft_replica(quorum->raft, number, ret_replica);
}

const struct raft_voters *quorum_voters(const struct quorum *quorum)
{
    return raft_voters(quorum->raft);
}

int32_t quorum_committed_epoch(const struct quorum *quorum)
{
    const struct raft_status status = raft_status(quorum->raft);
    return status.role == RAFT_LEADER ? wal_epoch_before(quorum->wal, status.committed) : -1;
}

uint32_t quorum_losses(const struct quorum *quorum)
{
    return quorum->losses;
}

void quorum_retry(struct quorum *quorum)
{
    if (wal_state(quorum->wal) == WAL_READY)
        raft_stand(quorum->raft);
}

bool quorum_has_failed(const struct quorum *quorum)
{
    return quorum->has_failed;
}

int quorum_propose(struct quorum *quorum, struct meta_writer *writer)
{
    CHECK(writer->base_offset == quorum->image->end_offset);
    const int32_t term = raft_status(quorum->raft).term;
    struct buffer *batch = meta_writer_batch(writer, term, quorum->io->wall_ms);
    struct batch_info info;
    batch_info_read(batch->data, &info);
    quorum->proposed = (struct wal_watch){.base_offset = writer->base_offset, .crc = info.crc};
    quorum->proposed_term = term;
    int error = ERR_NONE;
    if (quorum_leads(quorum))
        error =
            raft_propose(quorum->raft, batch, batch->data, batch->capacity, writer->base_offset);
    else
        quorum_forward(quorum, batch);
    buffer_release(batch);
    if (error == ERR_NONE)
        wal_watch(quorum->wal, &quorum->proposed);
    return error;
}

bool quorum_is_alone(const struct quorum *quorum)
{
    const struct raft_voters *voters = raft_voters(quorum->raft);
    return voters != NULL && voters->record.voters_count == 1 &&
           raft_status(quorum->raft).role != RAFT_OBSERVER;
}

enum quorum_fate quorum_fate(const struct quorum *quorum)
{
    const struct wal_watch *proposed = &quorum->proposed;
    const struct log *log = wal_log(quorum->wal);
    if (proposed->result == WATCH_HIT)
        return QUORUM_COMMITTED;
    if (proposed->result == WATCH_MISSED)
        return QUORUM_LOST;
    if (proposed->result == WATCH_UNKNOWN || quorum->has_failed)
        return QUORUM_UNKNOWN;
    /* Nobody else has it: what is not in the log is nowhere. */
    if (quorum_is_alone(quorum) && wal_state(quorum->wal) == WAL_READY &&
        (log_end(log) <= proposed->base_offset ||
         log_epoch_at(log, proposed->base_offset) != quorum->proposed_term))
        return QUORUM_LOST;
    return QUORUM_UNDECIDED;
}

/* ---- End. ---- */

static void state_closed(struct quorum_state *state, int error)
{
    (void)error;
    struct quorum *quorum = container_of(state, struct quorum, state);
    wal_close(quorum->wal, quorum->close_waiter);
}

/* The votes' file closes when nothing is under way, then the WAL. */
void quorum_close_if_idle(struct quorum *quorum)
{
    if (quorum->close_waiter == NULL || quorum->is_closing || op_busy(&quorum->state.op) ||
        op_busy(&quorum->receive.op) || !list_empty(&quorum->reads.reads))
        return;
    quorum->is_closing = true;
    timer_cancel(&quorum->io->timers, &quorum->vote_timer);
    quorum->state.done = state_closed;
    quorum_state_close(&quorum->state);
}

void quorum_close(struct quorum *quorum, struct log_waiter *waiter)
{
    quorum->close_waiter = waiter;
    raft_resign(quorum->raft);
    raft_stop(quorum->raft);
    quorum_close_if_idle(quorum);
}

void quorum_free(struct quorum *quorum)
{
    if (quorum == NULL)
        return;
    quorum_forget(quorum);
    timer_cancel(&quorum->io->timers, &quorum->vote_timer);
    raft_free(quorum->raft);
    quorum_reads_free(&quorum->reads);
    snapshot_receive_free(&quorum->receive);
    wal_free(quorum->wal);
    quorum_state_free(&quorum->state);
    arena_reset(&quorum->arena);
    memory_give(quorum->io->memory, MEMORY_STATE, quorum, sizeof(*quorum));
}
