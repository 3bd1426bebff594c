/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot of the leader's takes the place of a log that ends before the leader's begins. */
#include "core/meta/quorum_internal.h"
#include "core/wire/error.h"

static void written(struct snapshot_receive *receive, int error)
{
    struct quorum *quorum = container_of(receive, struct quorum, receive);
    raft_snapshot_written(quorum->raft, error);
    quorum_close_if_idle(quorum);
}

static void finished(struct snapshot_receive *receive, int error, struct span bytes)
{
    struct quorum *quorum = container_of(receive, struct quorum, receive);
    if (quorum->close_waiter != NULL)
        quorum_close_if_idle(quorum); /* the next start takes what is durable */
    else if (error != ERR_NONE)
        raft_snapshot_installed(quorum->raft, error, SPAN_NULL);
    else if (wal_state(quorum->wal) != WAL_READY) /* it was lost meanwhile */
        raft_snapshot_installed(quorum->raft, ERR_NOT_LEADER_OR_FOLLOWER, SPAN_NULL);
    else
        wal_install(quorum->wal, receive->id, bytes);
}

void quorum_snapshot_init(struct quorum *quorum)
{
    quorum->receive = (struct snapshot_receive){
        .io = quorum->io,
        .folder = quorum->state.folder,
        .path = SPAN(WAL_LOG_NAME),
        .written = written,
        .finished = finished,
    };
}

void quorum_snapshot_write(struct raft_host *host, struct raft_end end, uint64_t position,
                           struct span bytes, struct buffer *buffer)
{
    struct quorum *quorum = quorum_of_host(host);
    if (position + bytes.length > SNAPSHOT_BYTES_MAX) {
        raft_snapshot_written(quorum->raft, ERR_LIMIT);
        return;
    }
    snapshot_receive_piece(&quorum->receive, (struct snapshot_id){end.offset, end.epoch}, position,
                           bytes, buffer);
}

void quorum_snapshot_install(struct raft_host *host, struct raft_end end)
{
    (void)end; /* the one whose pieces were written */
    snapshot_receive_finish(&quorum_of_host(host)->receive);
}
