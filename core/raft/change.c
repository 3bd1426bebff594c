/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a leader appends for others: proposals, and changes of the voters, one at a time (thesis
 * 4.1, KIP-853), so that the majorities before and after a change have a voter in common.
 */
#include "core/raft/internal.h"
#include "core/wire/error.h"

static bool may_propose(const struct raft *raft)
{
    return raft_status(raft).is_established && raft->transfer == RAFT_NOBODY &&
           raft_is_voter(raft) && !raft->is_log_lost;
}

int raft_propose(struct raft *raft, struct buffer *buffer, uint8_t *batch, uint32_t length,
                 int64_t base_offset)
{
    if (!may_propose(raft))
        return ERR_NOT_CONTROLLER;
    if (base_offset != raft_log_end(raft))
        return ERR_OFFSET_OUT_OF_RANGE;
    if (length > RAFT_BATCH_BYTES_MAX)
        return ERR_RECORD_LIST_TOO_LARGE;
    batch_patch(batch, base_offset, raft->term);
    const int error = raft->host->log_append(raft->host, buffer, batch, length);
    raft_wake(raft);
    return error;
}

/* Why no change of the voters may begin now. */
static int change_is_possible(const struct raft *raft)
{
    if (!may_propose(raft))
        return ERR_NOT_CONTROLLER;
    if (voters_newest(raft)->offset >= raft->committed)
        return ERR_REASSIGNMENT_IN_PROGRESS;
    return ERR_NONE;
}

static int change_to(struct raft *raft, const struct voters_record *record, int64_t *ret_end)
{
    const int error = leader_append_voters(raft, record);
    if (error == ERR_NONE)
        *ret_end = raft_log_end(raft);
    return error;
}

static bool has_caught_up(struct raft *raft, struct raft_id id)
{
    const struct raft_peer *peer = leader_peer(raft, id);
    return peer != NULL && peer->state == PEER_STREAM && peer->match >= raft->committed &&
           raft->io->now_us - peer->heard_us < (uint64_t)raft->settings.fetch_timeout_ms * 1000;
}

int raft_add_voter(struct raft *raft, const struct voters_record_voter *voter, int64_t *ret_end)
{
    const int error = change_is_possible(raft);
    if (error != ERR_NONE)
        return error;
    const struct raft_voters *voters = voters_newest(raft);
    if (raft_voters_find_node(voters, voter->voter_id) != NULL)
        return ERR_DUPLICATE_VOTER;
    if (voters->record.voters_count == RAFT_VOTERS_MAX)
        return ERR_INCONSISTENT_VOTER_SET;
    if (!has_caught_up(raft, raft_voter_id(voter)))
        return ERR_REQUEST_TIMED_OUT;
    struct voters_record_voter all[RAFT_VOTERS_MAX];
    struct voters_record record = {.voters = all};
    for (int32_t i = 0; i < voters->record.voters_count; i++)
        all[record.voters_count++] = voters->record.voters[i];
    all[record.voters_count++] = *voter;
    return change_to(raft, &record, ret_end);
}

int raft_remove_voter(struct raft *raft, struct raft_id id, int64_t *ret_end)
{
    const int error = change_is_possible(raft);
    if (error != ERR_NONE)
        return error;
    const struct raft_voters *voters = voters_newest(raft);
    if (raft_voters_find(voters, id) == NULL)
        return ERR_VOTER_NOT_FOUND;
    if (voters->record.voters_count == 1)
        return ERR_INCONSISTENT_VOTER_SET;
    struct voters_record_voter all[RAFT_VOTERS_MAX];
    struct voters_record record = {.voters = all};
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        if (voters->record.voters[i].voter_id != id.node)
            all[record.voters_count++] = voters->record.voters[i];
    }
    return change_to(raft, &record, ret_end);
}
