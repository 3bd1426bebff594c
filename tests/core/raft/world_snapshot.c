/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of the world's nodes: taken, read by a leader, written and installed by a follower. */
#include <string.h>

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/raft/world.h"

/* A snapshot: offset, epoch, entries of the truth, length of the voters record, that, filling. */
#define SNAPSHOT_HEAD 20

static struct world_node *node_of(struct raft_host *host)
{
    return container_of(host, struct world_node, host);
}

void snapshot_read(struct world_node *node, struct raft_read *read)
{
    const struct world_snapshot *snapshot = &node->disk.snapshot;
    if (!snapshot->exists || snapshot->end.offset != read->snapshot.offset ||
        snapshot->end.epoch != read->snapshot.epoch || read->position > snapshot->length) {
        raft_read_done(node->raft, read, ERR_NOT_FOUND, NULL, SPAN_NULL, 0);
        return;
    }
    const uint64_t left = snapshot->length - read->position;
    const uint32_t bytes = left < read->max_bytes ? (uint32_t)left : read->max_bytes;
    struct buffer *buffer = buffer_new(&node->world->memory, MEMORY_STATE, bytes + 1);
    memcpy(buffer->data, snapshot->bytes + read->position, bytes);
    raft_read_done(node->raft, read, ERR_NONE, buffer, span_of(buffer->data, bytes),
                   snapshot->length);
    buffer_release(buffer);
}

static bool host_snapshot_newest(struct raft_host *host, struct raft_end *ret_end)
{
    const struct world_snapshot *snapshot = &node_of(host)->disk.snapshot;
    if (snapshot->exists)
        *ret_end = snapshot->end;
    return snapshot->exists;
}

static void host_snapshot_write(struct raft_host *host, struct raft_end end, uint64_t position,
                                struct span bytes, struct buffer *buffer)
{
    struct world_node *node = node_of(host);
    struct world_snapshot *arriving = &node->arriving;
    if (buffer == NULL ||
        (position != 0 && (arriving->length != position || arriving->end.offset != end.offset)))
        world_violated(node->world, "host", "node %d: a piece at %llu out of order", node->id,
                       (unsigned long long)position);
    CHECK(position + bytes.length <= WORLD_SNAPSHOT);
    memcpy(arriving->bytes + position, bytes.data, bytes.length);
    arriving->length = (uint32_t)(position + bytes.length);
    arriving->end = end;
    world_push(node->world,
               (struct world_event){
                   .kind = EVENT_SNAPSHOT_WRITTEN, .node = node->id - 1, .life = node->life},
               world_draw(node->world, 2000));
}

static void host_snapshot_install(struct raft_host *host, struct raft_end end)
{
    struct world_node *node = node_of(host);
    disk_check_ready(node);
    if (node->arriving.end.offset != end.offset)
        world_violated(node->world, "host", "node %d: another snapshot is there", node->id);
    node->is_installing = true;
    world_push(node->world,
               (struct world_event){
                   .kind = EVENT_SNAPSHOT_INSTALLED, .node = node->id - 1, .life = node->life},
               world_draw(node->world, 4000));
}

struct span snapshot_voters(const struct world_snapshot *snapshot)
{
    const uint32_t length = get_be32(snapshot->bytes + 16);
    return length == 0 ? SPAN_NULL : span_of(snapshot->bytes + SNAPSHOT_HEAD, length);
}

static void snapshot_fill(struct world_snapshot *snapshot, const struct raft_voters *voters,
                          uint32_t filling)
{
    struct wire_writer writer = {.data = snapshot->bytes + SNAPSHOT_HEAD,
                                 .capacity = WORLD_SNAPSHOT / 2};
    if (voters != NULL)
        CHECK(wire_encode(&wire_voters_record, 0, &voters->record, &writer) == ERR_NONE);
    put_be64(snapshot->bytes, (uint64_t)snapshot->end.offset);
    put_be32(snapshot->bytes + 8, (uint32_t)snapshot->end.epoch);
    put_be32(snapshot->bytes + 12, snapshot->applied_count);
    put_be32(snapshot->bytes + 16, (uint32_t)writer.length);
    snapshot->length = SNAPSHOT_HEAD + (uint32_t)writer.length;
    memset(snapshot->bytes + snapshot->length, (int)(snapshot->end.offset & 0xff), filling);
    snapshot->length += filling;
    snapshot->exists = true;
}

static void log_trim(struct world_disk *disk, int64_t start)
{
    uint32_t count = 0;
    if (start <= disk->start)
        return;
    disk->start_epoch = disk_epoch_before(disk, start);
    while (count < disk->log.count && disk->log.items[count].end <= start)
        buffer_release(disk->log.items[count++].buffer);
    memmove(disk->log.items, disk->log.items + count,
            (disk->log.count - count) * sizeof(*disk->log.items));
    disk->log.count -= count;
    disk->durable_count -= count;
    disk->start = start;
}

void world_take_snapshot(struct world_node *node, bool trim)
{
    struct world_disk *disk = &node->disk;
    if (!node->is_up || node->is_cutting || node->is_installing || node->is_log_lost ||
        node->is_syncing || node->applied_end > disk_durable_end(disk) || node->applied_end == 0)
        return;
    if (!disk->snapshot.exists || disk->snapshot.end.offset < node->applied_end) {
        disk->snapshot.end =
            (struct raft_end){node->applied_end, disk_epoch_before(disk, node->applied_end)};
        disk->snapshot.applied_count = node->applied_count;
        snapshot_fill(&disk->snapshot, raft_voters_at(node->raft, node->applied_end),
                      world_draw(node->world, 1500));
    }
    if (trim)
        log_trim(disk, disk->snapshot.end.offset);
}

/* The snapshot is durable, and the log begins behind it. */
void snapshot_install(struct world_node *node)
{
    struct world_disk *disk = &node->disk;
    disk->snapshot = node->arriving;
    disk->snapshot.exists = true;
    disk->snapshot.applied_count = get_be32(disk->snapshot.bytes + 12);
    entries_cut(&disk->log, 0);
    disk->durable_count = 0;
    disk->start = disk->snapshot.end.offset;
    disk->start_epoch = disk->snapshot.end.epoch;
    node->sync_number++;
    node->is_syncing = false;
}

void snapshot_installed(struct world_node *node)
{
    struct world_snapshot *arriving = &node->arriving;
    const int64_t offset = (int64_t)get_be64(arriving->bytes);
    const uint32_t count = get_be32(arriving->bytes + 12);
    node->is_installing = false;
    if (node->installs_failing > 0) {
        node->installs_failing--;
        raft_snapshot_installed(node->raft, ERR_IO, SPAN_NULL);
        return;
    }
    if (offset != arriving->end.offset || count > node->world->truth.count || count == 0 ||
        node->world->truth.items[count - 1].end != offset ||
        node->world->truth.items[count - 1].epoch != arriving->end.epoch)
        world_violated(node->world, "snapshot", "node %d: a snapshot of nothing at %lld", node->id,
                       (long long)offset);
    snapshot_install(node);
    if (node->applied_end < offset) {
        node->applied_end = offset;
        node->applied_count = count;
    }
    if (node->committed < offset)
        node->committed = offset;
    node->world->snapshots_installed++;
    raft_snapshot_installed(node->raft, ERR_NONE, snapshot_voters(&node->disk.snapshot));
}

void snapshot_host(struct raft_host *host)
{
    host->snapshot_newest = host_snapshot_newest;
    host->snapshot_write = host_snapshot_write;
    host->snapshot_install = host_snapshot_install;
}
