/* SPDX-License-Identifier: Apache-2.0 */
/* The disks of the world's nodes, and the host that raft sees of them. */
#include <string.h>

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/raft/world.h"

#define HELD_US 1000

static struct world_node *node_of(struct raft_host *host)
{
    return container_of(host, struct world_node, host);
}

/* ---- Entries ---- */

void entries_add(struct world_entries *entries, const struct world_entry *entry)
{
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity == 0 ? 64 : 2 * entries->capacity;
        entries->items = realloc(entries->items, entries->capacity * sizeof(*entries->items));
        CHECK(entries->items != NULL);
    }
    entries->items[entries->count] = *entry;
    buffer_hold(entry->buffer);
    entries->count++;
}

void entries_cut(struct world_entries *entries, uint32_t count)
{
    while (entries->count > count)
        buffer_release(entries->items[--entries->count].buffer);
}

void entries_free(struct world_entries *entries)
{
    entries_cut(entries, 0);
    free(entries->items);
    *entries = (struct world_entries){0};
}

uint32_t entries_find(const struct world_entries *entries, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = entries->count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (entries->items[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t disk_end(const struct world_disk *disk)
{
    return disk->log.count == 0 ? disk->start : disk->log.items[disk->log.count - 1].end;
}

int64_t disk_durable_end(const struct world_disk *disk)
{
    return disk->durable_count == 0 ? disk->start : disk->log.items[disk->durable_count - 1].end;
}

int32_t disk_epoch_before(const struct world_disk *disk, int64_t offset)
{
    CHECK(offset >= disk->start && offset <= disk_end(disk));
    if (offset == disk->start)
        return disk->start_epoch;
    return disk->log.items[entries_find(&disk->log, offset - 1)].epoch;
}

/* ---- The log as raft sees it ---- */

void disk_check_ready(const struct world_node *node)
{
    if (node->is_cutting || node->is_installing || node->is_log_lost)
        world_violated(node->world, "host", "node %d: the log is asked too early", node->id);
}

static int64_t host_start(struct raft_host *host)
{
    return node_of(host)->disk.start;
}

static int64_t host_end(struct raft_host *host)
{
    disk_check_ready(node_of(host));
    return disk_end(&node_of(host)->disk);
}

static int64_t host_durable_end(struct raft_host *host)
{
    disk_check_ready(node_of(host));
    return disk_durable_end(&node_of(host)->disk);
}

static int32_t host_epoch_before(struct raft_host *host, int64_t offset)
{
    disk_check_ready(node_of(host));
    return disk_epoch_before(&node_of(host)->disk, offset);
}

static struct raft_end host_epoch_end(struct raft_host *host, int32_t epoch)
{
    const struct world_disk *disk = &node_of(host)->disk;
    disk_check_ready(node_of(host));
    for (uint32_t i = disk->log.count; i > 0; i--) {
        if (disk->log.items[i - 1].epoch <= epoch)
            return (struct raft_end){disk->log.items[i - 1].end, disk->log.items[i - 1].epoch};
    }
    if (disk->start > 0 && disk->start_epoch <= epoch)
        return (struct raft_end){disk->start, disk->start_epoch};
    return (struct raft_end){disk->start, -1};
}

static int host_append(struct raft_host *host, struct buffer *buffer, uint8_t *batch,
                       uint32_t length)
{
    struct world_node *node = node_of(host);
    struct batch_info info;
    struct span value;
    disk_check_ready(node);
    batch_info_read(batch, &info);
    if (info.base_offset != disk_end(&node->disk) || info.size_bytes != length ||
        batch_checksum(batch, length) != info.crc) {
        world_violated(node->world, "host", "node %d: a batch that does not fit at %lld", node->id,
                       (long long)info.base_offset);
        return ERR_CORRUPT_MESSAGE;
    }
    control_find(span_of(batch, length), CONTROL_VOTERS, &value);
    const struct world_entry entry = {
        .base = info.base_offset,
        .end = batch_last_offset(&info) + 1,
        .epoch = info.leader_epoch,
        .crc = info.crc,
        .is_voters = !span_is_null(value),
        .buffer = buffer,
        .bytes = batch,
        .length = length,
    };
    judge_appended(node, &entry);
    entries_add(&node->disk.log, &entry);
    return ERR_NONE;
}

static void host_truncate(struct raft_host *host, int64_t offset)
{
    struct world_node *node = node_of(host);
    struct world_disk *disk = &node->disk;
    disk_check_ready(node);
    judge_cut(node, offset);
    const uint32_t at = entries_find(&disk->log, offset);
    entries_cut(&disk->cut, 0);
    for (uint32_t i = at; i < disk->log.count; i++)
        entries_add(&disk->cut, &disk->log.items[i]);
    disk->cut_durable = disk->durable_count > at ? disk->durable_count - at : 0;
    entries_cut(&disk->log, at);
    if (disk->durable_count > at)
        disk->durable_count = at;
    if (node->sync_count > at)
        node->sync_count = at;
    node->is_cutting = true;
    node->world->cuts++;
    world_push(node->world,
               (struct world_event){.kind = EVENT_CUT, .node = node->id - 1, .life = node->life},
               world_draw(node->world, (uint32_t)node->slow_us + 4000));
}

/* ---- Reading ---- */

static void read_log(struct world_node *node, struct raft_read *read)
{
    const struct world_entries *log = &node->disk.log;
    const uint32_t first = entries_find(log, read->offset);
    uint32_t bytes = 0;
    uint32_t last = first;
    while (last < log->count &&
           (last == first || bytes + log->items[last].length <= read->max_bytes))
        bytes += log->items[last++].length;
    if (read->offset < node->disk.start || first == log->count ||
        log->items[first].base != read->offset) {
        raft_read_done(node->raft, read, ERR_OFFSET_OUT_OF_RANGE, NULL, SPAN_NULL, 0);
        return;
    }
    if (last == first + 1) {
        raft_read_done(node->raft, read, ERR_NONE, log->items[first].buffer,
                       span_of(log->items[first].bytes, bytes), 0);
        return;
    }
    struct buffer *buffer = buffer_new(&node->world->memory, MEMORY_STATE, bytes);
    uint32_t at = 0;
    for (uint32_t i = first; i < last; i++) {
        memcpy(buffer->data + at, log->items[i].bytes, log->items[i].length);
        at += log->items[i].length;
    }
    raft_read_done(node->raft, read, ERR_NONE, buffer, span_of(buffer->data, bytes), 0);
    buffer_release(buffer);
}

static void host_read(struct raft_host *host, struct raft_read *read)
{
    struct world_node *node = node_of(host);
    read->host_use = node;
    if (read->of_snapshot || world_draw(node->world, 4) == 0)
        world_push(node->world,
                   (struct world_event){
                       .kind = EVENT_READ, .node = node->id - 1, .life = node->life, .read = read},
                   world_draw(node->world, 3000));
    else
        read_log(node, read);
}

static void host_read_cancel(struct raft_host *host, struct raft_read *read)
{
    struct world *world = node_of(host)->world;
    for (uint32_t i = 0; i < world->queue_count; i++) {
        if (world->queue[i].kind == EVENT_READ && world->queue[i].read == read)
            world->queue[i].read = NULL;
    }
}

/* ---- Vote ---- */

static void host_persist(struct raft_host *host, const struct raft_vote_state *state)
{
    struct world_node *node = node_of(host);
    if (node->is_persisting)
        world_violated(node->world, "host", "node %d: two votes are made durable", node->id);
    node->is_persisting = true;
    node->persisting = *state;
    world_push(
        node->world,
        (struct world_event){.kind = EVENT_PERSISTED, .node = node->id - 1, .life = node->life},
        world_draw(node->world, (uint32_t)node->slow_us + 1));
}

/* ---- What raft tells ---- */

void disk_apply(struct world_node *node)
{
    const struct world_entries *log = &node->disk.log;
    if (node->is_cutting || node->is_installing || node->is_log_lost)
        return;
    uint32_t at = entries_find(log, node->applied_end);
    while (at < log->count && log->items[at].end <= node->committed) {
        judge_applied(node, &log->items[at]);
        node->applied_end = log->items[at++].end;
        node->applied_count++;
    }
    raft_applied(node->raft, node->applied_end);
}

static void host_committed(struct raft_host *host, int64_t offset)
{
    struct world_node *node = node_of(host);
    judge_committed(node, offset);
    node->committed = offset;
    if (world_draw(node->world, 4) == 0)
        world_push(
            node->world,
            (struct world_event){.kind = EVENT_APPLIED, .node = node->id - 1, .life = node->life},
            world_draw(node->world, 5000));
    else
        disk_apply(node);
}

static void host_role_changed(struct raft_host *host)
{
    judge_status(node_of(host));
}

static void host_voters_changed(struct raft_host *host)
{
    (void)host;
}

static void host_node_known(struct raft_host *host, int32_t node, struct span name, uint16_t port)
{
    if (!span_equal(name, SPAN("host")) || port != 9093)
        world_violated(node_of(host)->world, "host", "node %d is where nobody said", node);
}

static bool host_send(struct raft_host *host, int32_t to, const struct raft_message *message,
                      struct buffer *buffer);

void disk_host(struct world_node *node)
{
    node->host = (struct raft_host){
        .send = host_send,
        .persist = host_persist,
        .log_start = host_start,
        .log_end = host_end,
        .log_durable_end = host_durable_end,
        .log_epoch_before = host_epoch_before,
        .log_epoch_end = host_epoch_end,
        .log_append = host_append,
        .log_truncate = host_truncate,
        .read = host_read,
        .read_cancel = host_read_cancel,
        .committed = host_committed,
        .role_changed = host_role_changed,
        .voters_changed = host_voters_changed,
        .node_known = host_node_known,
    };
    snapshot_host(&node->host);
}

static bool host_send(struct raft_host *host, int32_t to, const struct raft_message *message,
                      struct buffer *buffer)
{
    struct world_node *node = node_of(host);
    judge_sent(node, message, to);
    return world_send(node, to, message, buffer);
}

/* ---- Life ---- */

void disk_boot(struct world_node *node)
{
    struct world_disk *disk = &node->disk;
    node->applied_end = disk->snapshot.exists ? disk->snapshot.end.offset : 0;
    node->applied_count = disk->snapshot.exists ? disk->snapshot.applied_count : 0;
    node->committed = node->applied_end;
    if (disk->vote.term > 0)
        raft_boot_vote(node->raft, &disk->vote);
    if (disk->snapshot.exists && !span_is_null(snapshot_voters(&disk->snapshot)))
        CHECK(raft_boot_voters(node->raft, disk->snapshot.end.offset - 1,
                               snapshot_voters(&disk->snapshot)) == ERR_NONE);
    for (uint32_t i = entries_find(&disk->log, node->applied_end); i < disk->log.count; i++)
        CHECK(raft_boot_batch(node->raft, span_of(disk->log.items[i].bytes,
                                                  disk->log.items[i].length)) == ERR_NONE);
    raft_start(node->raft, node->applied_end);
    judge_voters(node);
}

/* What a power loss leaves: what is durable, and of the rest as much as chance wants, in order. */
void disk_crash(struct world_node *node)
{
    struct world_disk *disk = &node->disk;
    struct world *world = node->world;
    if (node->is_persisting && world_draw(world, 2) == 0)
        disk->vote = node->persisting;
    if (node->is_installing && world_draw(world, 2) == 0) {
        snapshot_install(node);
    } else if (node->is_cutting && disk->durable_count == disk->log.count &&
               world_draw(world, 2) == 0) {
        for (uint32_t i = 0; i < disk->cut.count && i < disk->cut_durable; i++)
            entries_add(&disk->log, &disk->cut.items[i]);
    } else {
        entries_cut(&disk->log, disk->durable_count +
                                    world_draw(world, disk->log.count - disk->durable_count + 1));
    }
    disk->durable_count = disk->log.count; /* the start syncs what it finds */
    entries_cut(&disk->cut, 0);
    node->is_persisting = false;
    node->is_syncing = false;
    node->sync_number++;
    node->is_cutting = false;
    node->cut_loses = false;
    node->is_installing = false;
    node->is_log_lost = false;
}

void disk_free(struct world_disk *disk)
{
    entries_free(&disk->log);
    entries_free(&disk->cut);
}

/* Of what is not durable a part is left, which is durable then. */
static void lose_appends(struct world_node *node)
{
    struct world_disk *disk = &node->disk;
    uint32_t kept = world_draw(node->world, disk->log.count - disk->durable_count + 1);
    if (node->is_full)
        kept = 0;
    node->is_syncing = false;
    node->sync_number++;
    entries_cut(&disk->log, disk->durable_count + kept);
    disk->durable_count = disk->log.count;
}

void world_lose_log(struct world_node *node)
{
    if (node->is_up && node->is_cutting)
        node->cut_loses = true;
    if (!node->is_up || node->is_cutting || node->is_installing || node->is_log_lost)
        return;
    node->is_log_lost = true;
    raft_log_lost(node->raft);
    lose_appends(node);
    world_push(
        node->world,
        (struct world_event){.kind = EVENT_LOG_READY, .node = node->id - 1, .life = node->life},
        world_draw(node->world, 50000));
    world_end_turn(node);
}

void disk_sync(struct world_node *node)
{
    if (node->is_syncing || node->is_log_lost || node->is_installing || node->is_cutting ||
        node->disk.durable_count == node->disk.log.count)
        return;
    node->is_syncing = true;
    node->sync_count = node->disk.log.count;
    world_push(node->world,
               (struct world_event){.kind = EVENT_SYNCED,
                                    .node = node->id - 1,
                                    .life = node->life,
                                    .number = node->sync_number},
               world_draw(node->world, (uint32_t)node->slow_us + 1));
}

void disk_event(struct world_node *node, struct world_event *event)
{
    switch (event->kind) {
    case EVENT_PERSISTED:
        node->is_persisting = false;
        node->disk.vote = node->persisting;
        raft_persisted(node->raft, ERR_NONE);
        break;
    case EVENT_SYNCED:
        if (event->number != node->sync_number)
            break;
        node->is_syncing = false;
        if (node->disk.durable_count < node->sync_count)
            node->disk.durable_count = node->sync_count;
        if (!node->is_cutting)
            raft_log_changed(node->raft);
        break;
    case EVENT_CUT:
        node->is_cutting = false;
        entries_cut(&node->disk.cut, 0);
        if (node->cut_loses)
            lose_appends(node);
        node->cut_loses = false;
        raft_log_truncated(node->raft, ERR_NONE);
        judge_voters(node);
        disk_apply(node);
        break;
    case EVENT_READ:
        if (event->read != NULL && event->read->of_snapshot)
            snapshot_read(node, event->read);
        else if (event->read != NULL)
            read_log(node, event->read);
        break;
    case EVENT_SNAPSHOT_WRITTEN:
        if (node->is_piece_held)
            world_push(node->world, *event, HELD_US);
        else
            raft_snapshot_written(node->raft, ERR_NONE);
        break;
    case EVENT_SNAPSHOT_INSTALLED:
        snapshot_installed(node);
        judge_voters(node);
        break;
    case EVENT_LOG_READY:
        node->is_log_lost = false;
        raft_log_ready(node->raft);
        judge_voters(node);
        disk_apply(node);
        break;
    default:
        disk_apply(node);
        break;
    }
}
