/* SPDX-License-Identifier: Apache-2.0 */
/* The judges: each looks at what changed, when it changes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "tests/core/raft/world.h"

void world_violated(struct world *world, const char *judge, const char *format, ...)
{
    va_list arguments;
    if (world->violation != NULL)
        return;
    world->violation = judge;
    va_start(arguments, format);
    vsnprintf(world->detail, sizeof(world->detail), format, arguments);
    va_end(arguments);
}

/* ---- Log matching: an offset and an epoch name one entry, and one entry before it ---- */

static struct world_seen *seen_place(struct world *world, int64_t base, int32_t epoch)
{
    uint64_t at = ((uint64_t)base * 0x9e3779b97f4a7c15u) ^ ((uint64_t)epoch * 0xc2b2ae3d27d4eb4fu);
    at = (at ^ (at >> 29)) & (world->seen_capacity - 1);
    while (world->seen[at].is_used &&
           (world->seen[at].base != base || world->seen[at].epoch != epoch))
        at = (at + 1) & (world->seen_capacity - 1);
    return &world->seen[at];
}

static void seen_grow(struct world *world)
{
    struct world_seen *old = world->seen;
    const uint32_t count = world->seen_capacity;
    if (2 * (world->seen_count + 1) <= world->seen_capacity)
        return;
    world->seen_capacity = count == 0 ? 256 : 2 * count;
    world->seen = calloc(world->seen_capacity, sizeof(*world->seen));
    CHECK(world->seen != NULL);
    for (uint32_t i = 0; i < count; i++) {
        if (old[i].is_used)
            *seen_place(world, old[i].base, old[i].epoch) = old[i];
    }
    free(old);
}

static void judge_voter_change(struct world_node *node, const struct world_entry *entry)
{
    const struct world_entries *log = &node->disk.log;
    if (raft_status(node->raft).role != RAFT_LEADER)
        return;
    for (uint32_t i = log->count; i > 0 && log->items[i - 1].base >= node->status.committed; i--) {
        if (log->items[i - 1].is_voters &&
            log->items[i - 1].base >= raft_status(node->raft).committed)
            world_violated(node->world, "one-change", "node %d: voters change at %lld and at %lld",
                           node->id, (long long)log->items[i - 1].base, (long long)entry->base);
    }
}

/* The first record may be written once more when it was lost before anybody else had it. */
static bool is_first_again(const struct world_node *node, const struct world_entry *entry)
{
    const struct world *world = node->world;
    if (entry->base != 0 || entry->epoch != 0 || world->truth.count > 0)
        return false;
    for (uint32_t i = 0; i < world->nodes_count; i++) {
        const struct world_entries *log = &world->nodes[i].disk.log;
        if (log->count > 0 && log->items[0].crc != entry->crc)
            return false;
    }
    return true;
}

void judge_appended(struct world_node *node, const struct world_entry *entry)
{
    struct world *world = node->world;
    const struct world_disk *disk = &node->disk;
    const int32_t previous = disk_epoch_before(disk, entry->base);
    seen_grow(world);
    struct world_seen *seen = seen_place(world, entry->base, entry->epoch);
    world->seen_count += !seen->is_used;
    if (!seen->is_used || is_first_again(node, entry)) {
        *seen =
            (struct world_seen){entry->base, entry->epoch, entry->crc, entry->end, previous, true};
    } else if (seen->crc != entry->crc || seen->end != entry->end ||
               seen->previous_epoch != previous) {
        world_violated(world, "log-matching", "node %d: two entries are (%lld, %d)", node->id,
                       (long long)entry->base, entry->epoch);
    }
    if (entry->epoch < previous)
        world_violated(world, "log-matching", "node %d: epochs fall at %lld", node->id,
                       (long long)entry->base);
    if (entry->is_voters)
        judge_voter_change(node, entry);
}

/* ---- What is committed stays ---- */

void judge_cut(struct world_node *node, int64_t offset)
{
    struct world *world = node->world;
    const struct world_entries *log = &node->disk.log;
    const uint32_t at = entries_find(log, offset);
    const uint32_t truth = entries_find(&world->truth, offset);
    if (at == log->count || log->items[at].base != offset)
        world_violated(world, "cut", "node %d: a cut within an entry at %lld", node->id,
                       (long long)offset);
    else if (truth < world->truth.count && world->truth.items[truth].base == offset &&
             world->truth.items[truth].epoch == log->items[at].epoch)
        world_violated(world, "cut", "node %d: cuts off a committed entry at %lld", node->id,
                       (long long)offset);
}

void judge_applied(struct world_node *node, const struct world_entry *entry)
{
    struct world *world = node->world;
    if (node->applied_count >= world->truth.count) {
        world_violated(world, "committed", "node %d: applied too much", node->id);
        return;
    }
    const struct world_entry *truth = &world->truth.items[node->applied_count];
    if (truth->base != entry->base || truth->epoch != entry->epoch || truth->crc != entry->crc)
        world_violated(world, "committed", "node %d: applies (%lld, %d), committed is (%lld, %d)",
                       node->id, (long long)entry->base, entry->epoch, (long long)truth->base,
                       truth->epoch);
}

/* The voter has, or had when its disk was its own, the entry that ends at `end`, durably. */
static bool has_durably(const struct world_disk *disk, const struct world_entry *last)
{
    if (disk->start >= last->end)
        return true; /* a snapshot of what is committed */
    const uint32_t at = entries_find(&disk->log, last->base);
    return at < disk->durable_count && disk->log.items[at].base == last->base &&
           disk->log.items[at].epoch == last->epoch;
}

static bool voter_has_durably(struct world *world, struct raft_id id,
                              const struct world_entry *last)
{
    const struct world_node *node = &world->nodes[id.node - 1];
    if (uuid_equal(node->disk.directory, id.directory))
        return has_durably(&node->disk, last);
    for (uint32_t i = 0; i < world->ghosts_count; i++) {
        if (uuid_equal(world->ghosts[i].directory, id.directory))
            return has_durably(&world->ghosts[i], last);
    }
    return false;
}

/* What anybody tells to be committed is so for ever. */
static void truth_extend(struct world_node *node, int64_t offset)
{
    struct world_entries *truth = &node->world->truth;
    const struct world_entries *log = &node->disk.log;
    int64_t end = truth->count == 0 ? 0 : truth->items[truth->count - 1].end;
    for (uint32_t i = entries_find(log, end); i < log->count && log->items[i].end <= offset; i++) {
        if (log->items[i].base != end)
            world_violated(node->world, "committed", "node %d: a hole at %lld", node->id,
                           (long long)end);
        entries_add(truth, &log->items[i]);
        truth->items[truth->count - 1].committed_in = raft_status(node->raft).term;
        end = log->items[i].end;
    }
}

void judge_committed(struct world_node *node, int64_t offset)
{
    struct world *world = node->world;
    const struct world_entries *log = &node->disk.log;
    truth_extend(node, offset);
    if (offset < node->committed)
        world_violated(world, "committed", "node %d: goes back to %lld", node->id,
                       (long long)offset);
    if (raft_status(node->raft).role != RAFT_LEADER)
        return;
    const uint32_t at = entries_find(log, offset - 1);
    const struct raft_voters *voters = raft_voters(node->raft);
    if (at == log->count || log->items[at].end != offset) {
        world_violated(world, "majority", "node %d: commits a part at %lld", node->id,
                       (long long)offset);
        return;
    }
    int32_t count = 0;
    for (int32_t i = 0; i < voters->record.voters_count; i++)
        count +=
            voter_has_durably(world, raft_voter_id(&voters->record.voters[i]), &log->items[at]);
    if (count <= voters->record.voters_count / 2)
        world_violated(world, "majority", "node %d: commits %lld, which %d of %d voters have",
                       node->id, (long long)offset, count, voters->record.voters_count);
    if (log->items[at].epoch != raft_status(node->raft).term)
        world_violated(world, "own-term", "node %d: commits (%lld, %d) by counting in term %d",
                       node->id, (long long)offset, log->items[at].epoch,
                       raft_status(node->raft).term);
}

/* ---- Voters ---- */

/* The newest voters record that the node's log has, or that is committed as far as it knows: its
 * snapshot holds it, or its log has lost it. */
static const struct world_entry *newest_voters(const struct world_node *node)
{
    const struct world_entries *log = &node->disk.log;
    const struct world_entries *truth = &node->world->truth;
    const struct world_entry *newest = NULL;
    for (uint32_t i = entries_find(truth, raft_status(node->raft).committed);
         i > 0 && newest == NULL; i--) {
        if (truth->items[i - 1].is_voters)
            newest = &truth->items[i - 1];
    }
    for (uint32_t i = log->count; i > 0; i--) {
        if (log->items[i - 1].is_voters)
            return newest == NULL || newest->base < log->items[i - 1].base ? &log->items[i - 1]
                                                                           : newest;
    }
    return newest;
}

void judge_voters(struct world_node *node)
{
    const struct world_entry *entry = newest_voters(node);
    const struct raft_voters *has = raft_voters(node->raft);
    struct raft_voters *wants = NULL;
    struct span value;
    if (entry == NULL || node->world->violation != NULL)
        return;
    control_find(span_of(entry->bytes, entry->length), CONTROL_VOTERS, &value);
    CHECK(raft_voters_decode(&node->world->memory, 0, value, &wants) == ERR_NONE);
    bool is_equal = has != NULL && has->record.voters_count == wants->record.voters_count;
    for (int32_t i = 0; is_equal && i < wants->record.voters_count; i++)
        is_equal = raft_voters_find(has, raft_voter_id(&wants->record.voters[i])) != NULL;
    if (!is_equal)
        world_violated(node->world, "voters", "node %d: its voters are not those of %lld", node->id,
                       (long long)entry->base);
    raft_voters_free(wants);
}

/* ---- Elections ---- */

static void judge_completeness(struct world_node *node)
{
    struct world *world = node->world;
    const struct world_disk *disk = &node->disk;
    const int32_t term = raft_status(node->raft).term;
    uint32_t count = world->truth.count;
    while (count > 0 && world->truth.items[count - 1].committed_in >= term)
        count--; /* by a later leader: this one was elected by votes that were late */
    if (count == 0)
        return;
    const struct world_entry *last = &world->truth.items[count - 1];
    if (disk->start >= last->end)
        return;
    const uint32_t at = entries_find(&disk->log, last->base);
    if (at == disk->log.count || disk->log.items[at].base != last->base ||
        disk->log.items[at].epoch != last->epoch)
        world_violated(world, "completeness", "node %d leads term %d without (%lld, %d)", node->id,
                       term, (long long)last->base, last->epoch);
}

void judge_status(struct world_node *node)
{
    struct world *world = node->world;
    const struct raft_status now = raft_status(node->raft);
    const bool leads_anew = now.role == RAFT_LEADER &&
                            (node->status.role != RAFT_LEADER || node->status.term != now.term);
    if (now.term < node->status.term)
        world_violated(world, "term", "node %d: term %d after %d", node->id, now.term,
                       node->status.term);
    node->status = now;
    if (!leads_anew)
        return;
    if (now.term >= WORLD_TERMS || now.term < 1) {
        world_violated(world, "terms", "node %d: term %d", node->id, now.term);
        return;
    }
    struct raft_id *leader = &world->leaders[now.term];
    if (leader->node != 0 && !raft_id_equal(*leader, world_id(node)))
        world_violated(world, "one-leader", "term %d: nodes %d and %d", now.term, leader->node,
                       node->id);
    if (leader->node != 0)
        world_violated(world, "one-leader", "term %d: node %d once more", now.term, node->id);
    *leader = world_id(node);
    world->elections++;
    judge_completeness(node);
    judge_voters(node);
}

static void judge_vote(struct world_node *node, int32_t term, struct raft_id candidate)
{
    struct world *world = node->world;
    const struct raft_vote_state *vote = &node->disk.vote;
    const struct raft_id voter = world_id(node);
    if (vote->term != term || !raft_id_equal(vote->voted, candidate))
        world_violated(world, "durable-vote", "node %d: votes in term %d before it is durable",
                       node->id, term);
    for (uint32_t i = 0; i < world->votes_count; i++) {
        const struct world_vote *given = &world->votes[i];
        if (given->term != term || !raft_id_equal(given->voter, voter))
            continue;
        if (!raft_id_equal(given->candidate, candidate))
            world_violated(world, "one-vote", "node %d: votes for %d and %d in term %d", node->id,
                           given->candidate.node, candidate.node, term);
        return;
    }
    if (world->votes_count == world->votes_capacity) {
        world->votes_capacity = world->votes_capacity == 0 ? 64 : 2 * world->votes_capacity;
        world->votes = realloc(world->votes, world->votes_capacity * sizeof(*world->votes));
        CHECK(world->votes != NULL);
    }
    world->votes[world->votes_count++] = (struct world_vote){voter, term, candidate};
}

void judge_sent(struct world_node *node, const struct raft_message *message, int32_t to)
{
    struct world *world = node->world;
    const struct world_disk *disk = &node->disk;
    if (to == node->id)
        world_violated(world, "host", "node %d: a message to itself", node->id);
    switch (message->type) {
    case RAFT_MESSAGE_VOTE:
        if (!message->body.vote.pre_vote)
            judge_vote(node, message->body.vote.term, world_id(node));
        break;
    case RAFT_MESSAGE_VOTED:
        if (message->body.voted.granted && !message->body.voted.pre_vote)
            judge_vote(node, message->body.voted.term,
                       (struct raft_id){to, disk->vote.voted.directory});
        break;
    case RAFT_MESSAGE_APPENDED:
        if (!message->body.appended.accepted)
            break;
        if (disk->vote.term != message->body.appended.term)
            world_violated(world, "durable-vote", "node %d: acknowledges in term %d, durable is %d",
                           node->id, message->body.appended.term, disk->vote.term);
        if (message->body.appended.durable_end > disk_durable_end(disk))
            world_violated(world, "durable-ack", "node %d: acknowledges %lld, durable is %lld",
                           node->id, (long long)message->body.appended.durable_end,
                           (long long)disk_durable_end(disk));
        break;
    default:
        break;
    }
}

/* ---- Reading ---- */

void judge_read(struct world_barrier *barrier, int error)
{
    struct world *world = barrier->node->world;
    barrier->is_busy = false;
    if (error != ERR_NONE)
        return;
    world->reads_done++;
    if (barrier->node->applied_count < barrier->truth_count)
        world_violated(world, "linearizable", "node %d: reads %u entries, %u were committed",
                       barrier->node->id, barrier->node->applied_count, barrier->truth_count);
}
