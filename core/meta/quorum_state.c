/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     load:   open ──▶ read ──▶ (the newer place that is whole)        no such file: no vote
 *     store:  write the other place ──▶ sync
 *     the first after a load: write again the place that was read ──▶ sync ──▶ sync the folder
 *                                                                             ──▶ store
 *     first:  create NAME.part ──▶ write ──▶ sync ──▶ rename ──▶ sync the folder
 *     after a failure: close ──▶ (told) … remove NAME.part ──▶ as the first
 *
 * What a failed sync has covered is never trusted or synced again, hence the new file. What was
 * read may be no better: the process before wrote it, and may have ended before its sync, or after
 * one that failed. So it is written again, of which no power loss can make anything else. Its name
 * may not last either: it may have been renamed, and the folder not been synced since.
 */
#include "core/meta/quorum_state.h"

#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/wire/error.h"

/* Before it is whole for the first time. */
#define QUORUM_STATE_PART QUORUM_STATE_FILE ".part"

#define MAGIC       "CHRONIKV"
#define MAGIC_BYTES 8
#define VERSION     1

/* Where the fields of a place are. */
enum {
    AT_VERSION = MAGIC_BYTES,
    AT_CRC = 12,
    AT_SEQUENCE = 16,
    AT_TERM = 24,
    AT_VOTED = 28,
    AT_VOTED_DIRECTORY = 32,
    AT_DIRECTORY = 48,
    AT_END = 64,
};

static struct quorum_state *state_of(struct op *op)
{
    return container_of(op, struct quorum_state, op);
}

static uint32_t place_crc(const uint8_t *place)
{
    return crc32c(0, place + AT_SEQUENCE, AT_END - AT_SEQUENCE);
}

static void place_write(const struct quorum_state *state, uint64_t sequence, uint8_t *place)
{
    memset(place, 0, QUORUM_STATE_PLACE_BYTES);
    memcpy(place, MAGIC, MAGIC_BYTES);
    put_be32(place + AT_VERSION, VERSION);
    put_be64(place + AT_SEQUENCE, sequence);
    put_be32(place + AT_TERM, (uint32_t)state->vote.term);
    put_be32(place + AT_VOTED, (uint32_t)state->vote.voted.node);
    memcpy(place + AT_VOTED_DIRECTORY, state->vote.voted.directory.bytes, sizeof(struct uuid));
    memcpy(place + AT_DIRECTORY, state->directory.bytes, sizeof(struct uuid));
    put_be32(place + AT_CRC, place_crc(place));
}

static bool place_is_whole(const uint8_t *place, uint64_t number)
{
    return memcmp(place, MAGIC, MAGIC_BYTES) == 0 && get_be32(place + AT_VERSION) == VERSION &&
           get_be32(place + AT_CRC) == place_crc(place) &&
           (get_be64(place + AT_SEQUENCE) & 1) == number;
}

static void place_read(struct quorum_state *state, const uint8_t *place)
{
    state->sequence = get_be64(place + AT_SEQUENCE);
    state->vote.term = (int32_t)get_be32(place + AT_TERM);
    state->vote.voted.node = (int32_t)get_be32(place + AT_VOTED);
    memcpy(state->vote.voted.directory.bytes, place + AT_VOTED_DIRECTORY, sizeof(struct uuid));
}

static void fail(struct quorum_state *state, int error)
{
    io_log(state->io, LOG_ERROR,
           "the file of this node's votes fails: file=" QUORUM_STATE_FILE
           " error=%s mend=\"see to the disk; a node "
           "whose votes are lost has to be removed from the voters and added again\"",
           error_text(error));
    state->done(state, error);
}

/* The newer of the places that are whole; NULL when none is. */
static const uint8_t *newest_place(const uint8_t *block)
{
    const uint8_t *newest = NULL;
    for (uint64_t number = 0; number < 2; number++) {
        const uint8_t *place = block + number * QUORUM_STATE_PLACE_BYTES;
        if (place_is_whole(place, number) &&
            (newest == NULL || get_be64(newest + AT_SEQUENCE) < get_be64(place + AT_SEQUENCE)))
            newest = place;
    }
    return newest;
}

static void state_read(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE) {
        fail(state, completion->error);
        return;
    }
    const uint8_t *place =
        completion->count == QUORUM_STATE_FILE_BYTES ? newest_place(state->block) : NULL;
    if (place == NULL) {
        fail(state, ERR_CORRUPT_MESSAGE);
        return;
    }
    if (memcmp(place + AT_DIRECTORY, state->directory.bytes, sizeof(struct uuid)) != 0) {
        io_log(state->io, LOG_ERROR,
               "these votes are those of another data folder: file=" QUORUM_STATE_FILE
               " mend=\"bring back "
               "the file that belongs here; a folder is never a copy of another node's\"");
        state->done(state, ERR_CORRUPT_MESSAGE);
        return;
    }
    place_read(state, place);
    state->has_vote = true;
    state->is_doubtful = true;
    state->done(state, ERR_NONE);
}

static void state_opened(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error == ERR_NOT_FOUND) {
        state->done(state, ERR_NONE);
        return;
    }
    if (completion->error != ERR_NONE) {
        fail(state, completion->error);
        return;
    }
    state->is_open = true;
    io_read(state->io, op, state_read, state->file, 0, state->block, QUORUM_STATE_FILE_BYTES);
}

void quorum_state_load(struct quorum_state *state)
{
    state->block = memory_take(state->io->memory, MEMORY_STATE, QUORUM_STATE_FILE_BYTES);
    state->vote.voted.node = RAFT_NOBODY;
    state->file = io_new_file(state->io);
    io_open(state->io, &state->op, state_opened, state->file, OPEN_EXISTING, state->folder,
            SPAN(QUORUM_STATE_FILE));
}

static void failed_closed(struct op *op, const struct completion *completion)
{
    (void)completion; /* it is not used any more */
    struct quorum_state *state = state_of(op);
    state->is_open = false;
    state->done(state, state->error);
}

static void store_fail(struct quorum_state *state, int error)
{
    state->error = error;
    state->has_failed = true;
    if (state->is_open)
        io_close_file(state->io, &state->op, failed_closed, state->file);
    else
        state->done(state, error);
}

static void state_synced(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE) {
        store_fail(state, completion->error);
        return;
    }
    state->has_vote = true;
    state->has_failed = false;
    state->done(state, ERR_NONE);
}

static void part_renamed(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE)
        store_fail(state, completion->error);
    else
        io_sync_folder(state->io, op, state_synced, state->folder, SPAN(""));
}

static void part_synced(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE)
        store_fail(state, completion->error);
    else
        io_rename(state->io, op, part_renamed, state->folder, SPAN(QUORUM_STATE_PART),
                  SPAN(QUORUM_STATE_FILE));
}

static void state_written(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE)
        store_fail(state, completion->error);
    else
        io_sync(state->io, op, state->is_new ? part_synced : state_synced, state->file);
}

static void part_opened(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE) {
        store_fail(state, completion->error);
        return;
    }
    state->is_open = true;
    state->piece = (struct piece){.data = state->block, .length = QUORUM_STATE_FILE_BYTES};
    io_write(state->io, op, state_written, state->file, 0, &state->piece, 1);
}

static void part_open(struct quorum_state *state)
{
    state->file = io_new_file(state->io);
    io_open(state->io, &state->op, part_opened, state->file, OPEN_CREATE, state->folder,
            SPAN(QUORUM_STATE_PART));
}

static void part_removed(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE && completion->error != ERR_NOT_FOUND)
        store_fail(state, completion->error);
    else
        part_open(state);
}

static uint64_t place_at(uint64_t sequence)
{
    return (sequence & 1) * QUORUM_STATE_PLACE_BYTES;
}

static void store_next(struct quorum_state *state)
{
    state->sequence++;
    const uint64_t position = place_at(state->sequence);
    state->is_new = !state->has_vote || state->has_failed;
    if (state->is_new)
        memset(state->block, 0, QUORUM_STATE_FILE_BYTES);
    place_write(state, state->sequence, state->block + position);
    if (state->has_failed) {
        io_remove(state->io, &state->op, part_removed, state->folder, SPAN(QUORUM_STATE_PART));
        return;
    }
    if (state->is_new) {
        part_open(state);
        return;
    }
    state->piece =
        (struct piece){.data = state->block + position, .length = QUORUM_STATE_PLACE_BYTES};
    io_write(state->io, &state->op, state_written, state->file, position, &state->piece, 1);
}

static void again_named(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE)
        store_fail(state, completion->error);
    else
        store_next(state);
}

static void again_synced(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE)
        store_fail(state, completion->error);
    else
        io_sync_folder(state->io, op, again_named, state->folder, SPAN(""));
}

static void again_written(struct op *op, const struct completion *completion)
{
    struct quorum_state *state = state_of(op);
    if (completion->error != ERR_NONE)
        store_fail(state, completion->error);
    else
        io_sync(state->io, op, again_synced, state->file);
}

void quorum_state_store(struct quorum_state *state, const struct raft_vote_state *vote)
{
    const uint64_t position = place_at(state->sequence);
    const bool is_doubtful = state->is_doubtful;
    state->vote = *vote;
    state->is_doubtful = false;
    if (!is_doubtful) {
        store_next(state);
        return;
    }
    state->piece =
        (struct piece){.data = state->block + position, .length = QUORUM_STATE_PLACE_BYTES};
    io_write(state->io, &state->op, again_written, state->file, position, &state->piece, 1);
}

static void state_closed(struct op *op, const struct completion *completion)
{
    (void)completion; /* everything that counts was synced */
    struct quorum_state *state = state_of(op);
    state->is_open = false;
    state->done(state, ERR_NONE);
}

void quorum_state_close(struct quorum_state *state)
{
    if (state->is_open)
        io_close_file(state->io, &state->op, state_closed, state->file);
    else
        state->done(state, ERR_NONE);
}

void quorum_state_free(struct quorum_state *state)
{
    memory_give(state->io->memory, MEMORY_STATE, state->block,
                state->block == NULL ? 0 : QUORUM_STATE_FILE_BYTES);
    state->block = NULL;
}
