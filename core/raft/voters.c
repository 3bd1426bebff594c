/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/voters.h"

#include "core/base/check.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

#define RECORD_VERSION 0

static bool voters_are_fit(const struct voters_record *record)
{
    if (record->voters_count < 1 || record->voters_count > RAFT_VOTERS_MAX)
        return false;
    for (int32_t i = 0; i < record->voters_count; i++) {
        if (record->voters[i].voter_id < 0 ||
            record->voters[i].endpoints_count > RAFT_ENDPOINTS_MAX)
            return false;
        for (int32_t j = 0; j < i; j++) {
            if (record->voters[i].voter_id == record->voters[j].voter_id)
                return false;
        }
    }
    return true;
}

int raft_voters_decode(struct memory *memory, int64_t offset, struct span value,
                       struct raft_voters **ret_voters)
{
    if (value.length > RAFT_VOTERS_BYTES_MAX)
        return ERR_CORRUPT_MESSAGE;
    struct raft_voters *voters = memory_new(memory, struct raft_voters);
    list_init(&voters->place);
    voters->offset = offset;
    arena_init(&voters->arena, memory, MEMORY_STATE, 4 * RAFT_VOTERS_BYTES_MAX);
    const struct span copy = arena_copy(&voters->arena, value);
    if (wire_decode(&wire_voters_record, RECORD_VERSION, copy, &voters->arena, &voters->record) !=
            ERR_NONE ||
        !voters_are_fit(&voters->record)) {
        raft_voters_free(voters);
        return ERR_CORRUPT_MESSAGE;
    }
    *ret_voters = voters;
    return ERR_NONE;
}

int raft_voters_copy(struct memory *memory, int64_t offset, const struct voters_record *record,
                     struct raft_voters **ret_voters)
{
    const size_t size = wire_size(&wire_voters_record, RECORD_VERSION, record);
    uint8_t *bytes = memory_take_unset(memory, MEMORY_STATE, size);
    struct wire_writer writer = {.data = bytes, .capacity = size};
    int error = wire_encode(&wire_voters_record, RECORD_VERSION, record, &writer);
    CHECK(error == ERR_NONE);
    error = raft_voters_decode(memory, offset, span_of(bytes, size), ret_voters);
    memory_give(memory, MEMORY_STATE, bytes, size);
    return error;
}

void raft_voters_free(struct raft_voters *voters)
{
    if (voters == NULL)
        return;
    struct memory *memory = voters->arena.memory;
    arena_reset(&voters->arena);
    memory_give(memory, MEMORY_STATE, voters, sizeof(*voters));
}

const struct voters_record_voter *raft_voters_find_node(const struct raft_voters *voters,
                                                        int32_t node)
{
    if (voters == NULL)
        return NULL;
    for (int32_t i = 0; i < voters->record.voters_count; i++) {
        if (voters->record.voters[i].voter_id == node)
            return &voters->record.voters[i];
    }
    return NULL;
}

const struct voters_record_voter *raft_voters_find(const struct raft_voters *voters,
                                                   struct raft_id id)
{
    const struct voters_record_voter *voter = raft_voters_find_node(voters, id.node);
    return voter != NULL && uuid_equal(voter->voter_directory_id, id.directory) ? voter : NULL;
}
